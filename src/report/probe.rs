//! `probe` as tables: what was seen, what was promised, what crosses, what a client can end.

use super::{Paint, Probe, escape};
use crate::finding::Severity;
use crate::probe::{
    Ability, Crossings, Difference, Ended, Endings, Issued, Observed, Offer, Outcome, Saved,
    Watched,
};

/// Everything, for people.
pub fn text(probe: &Probe<'_>, paint: Paint) -> String {
    let mut out = String::new();
    if !probe.probed.endpoints.is_empty() {
        out.push_str(&endpoints(&probe.probed.endpoints, paint));
    }
    for seen in &probe.probed.endpoints {
        if let Some(watch) = &seen.watched {
            out.push_str(&watched(&seen.label(), watch, paint));
        }
    }
    if let Some(found) = &probe.probed.crossings {
        out.push_str(&crossings(found, paint));
    }
    for found in &probe.probed.endings {
        out.push_str(&endings(found, paint));
    }
    if let Some(found) = &probe.probed.saved {
        out.push_str(&saved(found));
    }
    if !probe.promises.is_empty() {
        out.push_str(&promises(probe.promises, paint));
    }
    for it in probe.unprobed {
        out.push_str(&format!(
            "not probed: {}: {}\n",
            escape::line(&it.endpoint),
            it.why
        ));
    }
    out.push_str(&verdicts(probe, paint));
    out
}

/// Rows under a head, columns as wide as their longest cell.
fn table(head: &[&str], rows: &[Vec<String>], paint: Paint) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| cell.chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            let missing = width.saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', missing + 2));
        }
        line.trim_end().to_owned()
    };
    let mut out = paint.bold(&line(&mut head.iter().copied()));
    out.push('\n');
    for row in rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
        out.push('\n');
    }
    out
}

fn endpoints(all: &[Observed], paint: Paint) -> String {
    const HEAD: [&str; 8] = [
        "ADDRESS",
        "NAME",
        "1.2 ID",
        "1.2 TICKET",
        "1.3 TICKETS",
        "SECONDS",
        "KEY",
        "EARLY DATA",
    ];
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let mut out = table(&HEAD, &rows, paint);
    for seen in all {
        let place = escape::line(&seen.label());
        if let Some(why) = &seen.unreachable {
            out.push_str(&format!(
                "{}\n",
                paint.bad(&format!("{place}: {}", escape::line(why)))
            ));
        }
        let certificate = seen.certificate.as_ref();
        let distrusted = certificate.and_then(|it| Some((it, it.distrusted.as_ref()?)));
        if let Some((certificate, why)) = distrusted {
            out.push_str(&format!(
                "{place}: the certificate of {} does not verify here: {}\n",
                escape::line(&certificate.subject),
                escape::line(why)
            ));
        }
    }
    out
}

fn row(seen: &Observed) -> Vec<String> {
    let name = seen.name.as_deref().map_or("-".to_owned(), escape::line);
    let mut cells = vec![escape::line(&seen.address), name];
    if seen.unreachable.is_some() || seen.rejects {
        let word = if seen.rejects {
            "rejects"
        } else {
            "unreachable"
        };
        cells.push(word.to_owned());
        return cells;
    }
    let ticket12 = match seen.tls12.issued {
        Issued::None
            if matches!(
                seen.tls12.ticket.resumes,
                Ability::Always | Ability::Sometimes | Ability::Never
            ) =>
        {
            "none".to_owned()
        }
        _ => offer(&seen.tls12.ticket),
    };
    let tls13 = match (seen.tls13.ticket.resumes, seen.tls13.issued) {
        (Ability::Unavailable | Ability::Fails | Ability::Unasked, _) => offer(&seen.tls13.ticket),
        (_, Issued::None) => "none".to_owned(),
        (_, issued) => format!(
            "{} x{}, {}",
            issued.word(),
            seen.tls13.tickets,
            offer(&seen.tls13.ticket)
        ),
    };
    let hint = |offer: &Offer| {
        offer
            .lifetime_hint
            .map_or("-".to_owned(), |it| it.to_string())
    };
    let (short, long) = (hint(&seen.tls12.ticket), hint(&seen.tls13.ticket));
    let seconds = if short == long || short == "-" {
        long
    } else {
        format!("{short} / {long}")
    };
    // Half of a name is enough to tell keys apart here.
    let key = match &seen.keys[..] {
        [] => "-".to_owned(),
        [key] => key.name.chars().take(16).collect(),
        keys => format!("{} keys", keys.len()),
    };
    let early = match (seen.early_data.accepted, seen.early_data.accepted_again) {
        (Some(true), Some(true)) => "accepted twice",
        (Some(true), _) => "accepted once",
        (Some(false), _) => "refused",
        (None, _) => "-",
    };
    cells.extend([
        offer(&seen.tls12.session_id),
        ticket12,
        tls13,
        seconds,
        key,
        early.to_owned(),
    ]);
    cells
}

fn offer(offer: &Offer) -> String {
    let tries = offer.tries;
    match offer.resumes {
        Ability::Unavailable | Ability::Unasked => "-".to_owned(),
        Ability::Fails => "fails".to_owned(),
        Ability::Never if tries.offered == 0 => "never".to_owned(),
        word => {
            let once = if offer.single_use == Some(true) {
                ", once"
            } else {
                ""
            };
            format!("{} {}/{}{once}", word.word(), tries.resumed, tries.offered)
        }
    }
}

fn watched(place: &str, watched: &Watched, paint: Paint) -> String {
    let head = format!("{}, watched for {} s", escape::line(place), watched.seconds);
    let mut out = format!("\n{}\n", paint.bold(&head));
    for key in &watched.keys {
        out.push_str(&format!(
            "  key {} first seen after {} s\n",
            key.name, key.at
        ));
    }
    match (watched.keys.len(), watched.period) {
        (0, _) => out.push_str("  no ticket key was seen\n"),
        (1, _) => out.push_str("  the key did not change\n"),
        (count, Some((least, most))) => out.push_str(&format!(
            "  the key changed {} times, after {least} to {most} s\n",
            count - 1
        )),
        (count, None) => out.push_str(&format!("  the key changed {} times\n", count - 1)),
    }
    let lives = watched.session.iter();
    let lives = lives.map(|it| {
        (
            "one session",
            it.kind,
            it.lifetime_hint,
            it.alive_at,
            it.dead_at,
        )
    });
    let chains = watched.chains.iter();
    let chains = chains.map(|it| {
        (
            "a chain",
            it.kind,
            it.lifetime_hint,
            it.alive_at,
            it.dead_at,
        )
    });
    for (what, kind, hint, alive, dead) in lives.chain(chains) {
        let said = hint.map_or(String::new(), |it| format!(" (said: {it} s)"));
        let until = match (alive, dead) {
            (Some(alive), Some(dead)) => format!("resumed after {alive} s, not after {dead} s"),
            (Some(alive), None) => format!("resumed to the end, after {alive} s"),
            (None, Some(_)) => "never resumed".to_owned(),
            (None, None) => "was not offered".to_owned(),
        };
        out.push_str(&format!("  TLS {kind}, {what}{said}: {until}\n"));
    }
    out
}

fn crossings(found: &Crossings, paint: Paint) -> String {
    let mut out = format!(
        "\n{}\n",
        paint.bold(&format!("sessions between {}", found.between))
    );
    for (index, place) in found.places.iter().enumerate() {
        out.push_str(&format!("  #{} {}\n", index + 1, escape::line(place)));
    }
    let rows = found.pairs.iter().map(|pair| {
        let mut word = pair.outcome.word().to_owned();
        if let (Outcome::Resumes, Some(status)) = (pair.outcome, pair.status) {
            word.push_str(&format!(", answers {status}"));
        }
        vec![
            format!("#{}", pair.from + 1),
            format!("#{}", pair.to + 1),
            pair.kind.to_owned(),
            word,
        ]
    });
    out.push_str(&table(
        &["FROM", "TO", "TLS", "OUTCOME"],
        &rows.collect::<Vec<_>>(),
        paint,
    ));
    for share in &found.shared_keys {
        let places = share.places.iter().map(|place| format!("#{}", place + 1));
        let places: Vec<String> = places.collect();
        out.push_str(&format!(
            "ticket key {} is shared by {}\n",
            share.key,
            places.join(", ")
        ));
    }
    out
}

fn endings(found: &Endings, paint: Paint) -> String {
    let head = format!("what a client can end at {}", escape::line(&found.endpoint));
    let mut out = format!("\n{}\n", paint.bold(&head));
    let rows: Vec<Vec<String>> = found.tried.iter().map(ended).collect();
    out.push_str(&table(
        &["TLS", "CONNECTION", "ENDED BY", "ITS SESSIONS"],
        &rows,
        paint,
    ));
    out.push_str(
        "A stateless ticket cannot be ended: the server keeps nothing that it could forget; only \
         its lifetime or a new key ends it.\n",
    );
    out
}

fn ended(it: &Ended) -> Vec<String> {
    let fate = match (&it.untried, &it.still_resumes[..]) {
        (Some(why), _) => format!("not tried: {}", escape::line(why)),
        (None, [one]) => fate(*one).to_owned(),
        (None, many) => many
            .iter()
            .enumerate()
            .map(|(index, still)| format!("ticket {}: {}", index + 1, fate(*still)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    vec![
        it.kind.to_owned(),
        it.connection.to_owned(),
        it.way.to_owned(),
        fate,
    ]
}

fn fate(still_resumes: bool) -> &'static str {
    if still_resumes { "kept" } else { "gone" }
}

fn saved(saved: &Saved) -> String {
    let place = escape::line(&saved.endpoint);
    let kind = saved.kind;
    match (saved.resumed, saved.still_resumes) {
        (true, false) => format!("{place}: the session (TLS {kind}) resumed, and is ended\n"),
        (false, false) => format!("{place}: the session (TLS {kind}) did not resume any more\n"),
        (_, true) if kind.ends_with("stateless") || kind.ends_with("ticket") => format!(
            "{place}: the session (TLS {kind}) still resumes: it is in its ticket, and the server \
             keeps nothing that it could forget. Only its lifetime or a new ticket key ends it\n"
        ),
        (_, true) => format!(
            "{place}: the session (TLS {kind}) still resumes: the server did not take the alert \
             as its end\n"
        ),
    }
}

fn promises(all: &[Difference], paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.bold("the files beside the server"));
    let mut rows = Vec::new();
    for promise in all {
        for field in &promise.fields {
            let place = match &field.at {
                Some(at) => format!("{}:{}", escape::path(&at.path), at.line),
                None => "-".to_owned(),
            };
            rows.push(vec![
                escape::line(&promise.endpoint),
                field.field.to_owned(),
                field.predicted.clone(),
                escape::line(&field.observed),
                if field.agrees { "" } else { "differs" }.to_owned(),
                place,
            ]);
        }
    }
    out.push_str(&table(
        &["ENDPOINT", "FIELD", "FILES", "SERVER", "", "LINE"],
        &rows,
        paint,
    ));
    out
}

fn verdicts(probe: &Probe<'_>, paint: Paint) -> String {
    let mut out = String::new();
    for verdict in probe.verdicts {
        let word = match verdict.severity {
            Severity::Error => paint.bad("error"),
            Severity::Warning => paint.doubtful("warning"),
            Severity::Note => paint.bold("note"),
            Severity::Pedantic => paint.dim("pedantic"),
        };
        let place = match &verdict.at {
            Some(at) => format!("{}:{}: ", escape::path(&at.path), at.line),
            None => String::new(),
        };
        out.push_str(&format!(
            "\n{word}[{}]: {place}{}: {}\n  help: {}\n",
            verdict.id,
            escape::line(&verdict.endpoint),
            escape::line(&verdict.message),
            escape::line(&verdict.help)
        ));
    }
    out
}
