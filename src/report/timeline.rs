//! Which key encrypts and decrypts when, drawn with plain characters: a row a key, time to the
//! right. Every column is the same time, every bar as long as its stretch, and nothing depends
//! on colours.

use std::collections::BTreeMap;

use super::moment::{Moment, utc};
use super::{Paint, escape};
use crate::keys::core::{KeyId, Life, Phase, Stretch, Timeline};
use crate::policy::settings::Period;

/// The narrowest and the widest picture, in columns.
pub const WIDTHS: (usize, usize) = (60, 200);
/// From this width on there is room for whole ids and for words.
const WIDE: usize = 100;
/// Rows that are drawn; the oldest are left out.
pub(super) const ROWS: usize = 100;
/// The room that words take.
const WORDS: usize = 22;

/// What is drawn.
#[derive(Copy, Clone, Debug)]
pub struct Picture<'a> {
    /// Whose keys, as text of any kind.
    pub subject: &'a str,
    /// The keys.
    pub timeline: &'a Timeline,
    /// How many hosts say that they encrypt with a key; empty for one host alone.
    pub hosts: &'a BTreeMap<KeyId, usize>,
}

impl Picture<'_> {
    /// The rows that are drawn, and how many older ones are not.
    pub(super) fn rows(&self) -> (&[Life], usize) {
        let lives = &self.timeline.lives;
        let left_out = lives.len().saturating_sub(ROWS);
        (&lives[left_out..], left_out)
    }

    /// What can be said of a row in words.
    pub(super) fn words(&self, life: &Life) -> String {
        let mut words = Vec::new();
        let state = match (life.key, life.encrypts) {
            (None, _) if life.slots > 1 => format!("{} missing", life.slots),
            (None, _) => "missing".to_owned(),
            (Some(_), true) => "encrypts".to_owned(),
            _ if life.slot.epoch > self.timeline.epoch => "ahead".to_owned(),
            _ if life.slot.epoch == self.timeline.epoch => "due".to_owned(),
            _ => "previous".to_owned(),
        };
        words.push(state);
        words.extend(life.derived.then(|| "derived".to_owned()));
        words.extend(self.lacks(life).then(|| "not loaded".to_owned()));
        match life.key.and_then(|key| self.hosts.get(&key)) {
            Some(1) => words.push("1 host".to_owned()),
            Some(count) => words.push(format!("{count} hosts")),
            None => {}
        }
        words.join(", ")
    }

    /// True where the server should have the key by now. One of a later slot is loaded together
    /// with the next change of order; of a fleet nobody knows what each server has loaded.
    pub(super) fn lacks(&self, life: &Life) -> bool {
        let near = life.slot.epoch <= self.timeline.epoch.saturating_add(1);
        life.key.is_some() && !life.loaded && near && self.hosts.is_empty()
    }

    /// A slot's start beside others.
    pub(super) fn start(&self, epoch: u64) -> String {
        let seconds = self.timeline.schedule.start(epoch) / 1000;
        Moment::of(seconds).beside(self.timeline.schedule.interval / 1000)
    }

    /// The label of a tick: a date where a day begins.
    pub(super) fn tick(&self, epoch: u64) -> String {
        let seconds = self.timeline.schedule.start(epoch) / 1000;
        match seconds % 86_400 {
            0 => Moment::of(seconds).beside(86_400),
            _ => self.start(epoch),
        }
    }

    /// The plan in a sentence.
    pub(super) fn plan(&self) -> String {
        let schedule = &self.timeline.schedule;
        format!(
            "a key encrypts for {}, {} ahead, {} previous, sessions live for {}",
            period(schedule.interval),
            schedule.ahead,
            schedule.previous,
            period(self.timeline.lifetime)
        )
    }
}

/// Milliseconds as a period; parts of a second only where there is nothing else.
fn period(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => Period(milliseconds / 1000).to_string(),
        _ => format!("{milliseconds}ms"),
    }
}

/// How many slots lie between two ticks whose labels take `label` columns or pixels, where a
/// slot takes `slot` of them.
pub(super) fn between_ticks(label: f64, slot: f64) -> u64 {
    let steps = [1, 2, 3, 4, 6, 12, 24, 48, 96, 168, 336, 720, 1440];
    let fits = |step: &u64| *step as f64 * slot >= label;
    let more = (label / slot.max(f64::MIN_POSITIVE)).ceil() as u64;
    steps.into_iter().find(fits).unwrap_or(more.max(1))
}

/// The picture in `width` columns, which is brought into [`WIDTHS`].
pub fn text(picture: &Picture<'_>, width: usize, paint: Paint) -> String {
    let width = width.clamp(WIDTHS.0, WIDTHS.1);
    let timeline = picture.timeline;
    let sheet = Sheet::new(picture, width);
    let now = utc(timeline.now / 1000);
    let head = format!(
        "{} at {now}, slot {}",
        escape::line(picture.subject),
        timeline.epoch
    );
    let mut out = wrapped(&[&head, &picture.plan()], width);
    out.push('\n');
    out.push_str(&sheet.ticks());
    out.push_str(&sheet.now('v'));
    let (rows, left_out) = picture.rows();
    if left_out > 0 {
        out.push_str(&format!("  {left_out} older keys are not drawn\n"));
    }
    for life in rows {
        out.push_str(&sheet.row(life, paint));
    }
    out.push_str(&sheet.ticket());
    out.push_str(&sheet.now('^'));
    out.push_str(LEGEND);
    out
}

const LEGEND: &str = "\n\
    # encrypts     . decrypts, to come     - decrypts, over\n\
    x forgotten    ? no key                = a ticket of now\n\
    > encrypts now     ! not loaded     ~ derived\n\
    times in UTC, a date where a day begins\n";

/// Lines that break between words; a word that is too long is cut.
fn wrapped(lines: &[&str], width: usize) -> String {
    let mut out = String::new();
    for line in lines {
        let mut used = 0;
        for word in line.split(' ').map(|word| cut(word, width)) {
            let more = word.chars().count();
            match used {
                0 => {}
                _ if used + 1 + more > width => {
                    out.push('\n');
                    used = 0;
                }
                _ => {
                    out.push(' ');
                    used += 1;
                }
            }
            out.push_str(&word);
            used += more;
        }
        out.push('\n');
    }
    out
}

fn cut(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        // The last column is the sign's.
        Some(_) => line.chars().take(width - 1).chain(['…']).collect(),
        None => line.to_owned(),
    }
}

/// Where columns begin and how long they are.
struct Sheet<'a> {
    picture: &'a Picture<'a>,
    /// Columns in front of the bars.
    margin: usize,
    /// Whether ids are whole and words stand behind them.
    wide: bool,
    /// The first slot that is drawn.
    first: u64,
    /// Milliseconds of a column: a slot by a whole number, or a whole number of slots.
    column: u64,
    columns: usize,
}

impl<'a> Sheet<'a> {
    fn new(picture: &'a Picture<'a>, width: usize) -> Self {
        let timeline = picture.timeline;
        let interval = timeline.schedule.interval.max(1);
        let (first, end) = timeline.span();
        let wide = width >= WIDE;
        let time = picture.start(first).len();
        let margin = if wide {
            2 + time + 18 + WORDS
        } else {
            2 + time + 10
        };
        let room = width.saturating_sub(margin).max(1);
        let slots = end.saturating_sub(first).max(1);
        let (column, columns) = match room as u64 / slots {
            0 => {
                let many = slots.div_ceil(room as u64);
                (interval.saturating_mul(many), slots.div_ceil(many))
            }
            // A column of less than a millisecond would be none.
            each => {
                let each = each.min(interval);
                (interval / each, slots * each)
            }
        };
        Self {
            picture,
            margin,
            wide,
            first,
            column,
            columns: usize::try_from(columns).unwrap_or(room).min(room),
        }
    }

    /// A column's time.
    fn time(&self, column: usize) -> (u64, u64) {
        let start = self.picture.timeline.schedule.start(self.first);
        let from = start.saturating_add(self.column.saturating_mul(column as u64));
        (from, from.saturating_add(self.column))
    }

    fn ticks(&self) -> String {
        let label = self.picture.start(self.first).len() + 1;
        let slot = self.picture.timeline.schedule.interval as f64 / self.column as f64;
        let step = between_ticks(label as f64, slot);
        let mut line = " ".repeat(self.margin);
        for column in 0..self.columns {
            let (from, until) = self.time(column);
            let epoch = from.div_ceil(self.picture.timeline.schedule.interval.max(1));
            let starts = self.picture.timeline.schedule.start(epoch) < until;
            let at = self.margin + column;
            if starts && epoch.is_multiple_of(step) && line.len() <= at {
                line.push_str(&" ".repeat(at - line.len()));
                line.push_str(&self.picture.tick(epoch));
            }
        }
        cut_end(&line, self.margin + self.columns)
    }

    /// The sign that points at now.
    fn now(&self, sign: char) -> String {
        let now = self.picture.timeline.now;
        let start = self.picture.timeline.schedule.start(self.first);
        let column = now.saturating_sub(start) / self.column.max(1);
        let column = usize::try_from(column).unwrap_or(0).min(self.columns - 1);
        format!("{}{sign} now\n", " ".repeat(self.margin + column))
    }

    fn row(&self, life: &Life, paint: Paint) -> String {
        let mut out = format!("{:<margin$}", self.label(life), margin = self.margin);
        let cells: Vec<(char, Option<Phase>)> = (0..self.columns)
            .map(|column| self.cell(life, column))
            .collect();
        let drawn = cells.iter().rposition(|(sign, _)| *sign != ' ');
        let cells = &cells[..drawn.map_or(0, |last| last + 1)];
        for run in cells.chunk_by(|left, right| left.1 == right.1) {
            let text: String = run.iter().map(|(sign, _)| *sign).collect();
            out.push_str(&match run[0].1 {
                Some(Phase::Encrypts) => paint.good(&text),
                Some(Phase::Ahead) => paint.place(&text),
                Some(Phase::Missing) => paint.bad(&text),
                Some(Phase::Previous) | None => text,
            });
        }
        out.push('\n');
        out
    }

    fn label(&self, life: &Life) -> String {
        let sign = match life {
            Life { key: None, .. } => '?',
            Life { encrypts: true, .. } => '>',
            Life { derived: true, .. } => '~',
            _ if self.picture.lacks(life) => '!',
            _ => ' ',
        };
        let id = life.key.map_or("no key".to_owned(), |key| key.to_string());
        let start = self.picture.start(life.slot.epoch);
        if self.wide {
            let words = cut(&self.picture.words(life), WORDS - 1);
            return format!("{sign} {start} {id:<16} {words}");
        }
        format!("{sign} {start} {}", id.get(..8).unwrap_or(&id))
    }

    fn cell(&self, life: &Life, column: usize) -> (char, Option<Phase>) {
        let (from, until) = self.time(column);
        let middle = from + (until - from) / 2;
        // What is shorter than a column is never lost between two middles.
        let small = |it: &&Stretch| {
            matches!(it.phase, Phase::Encrypts | Phase::Missing)
                && it.until - it.from < self.column
                && (from..until).contains(&it.from)
        };
        let covers = |it: &&Stretch| (it.from..it.until).contains(&middle);
        let stretches = || life.stretches.iter();
        let found = stretches().find(small).or_else(|| stretches().find(covers));
        let sign = match found.map(|stretch| stretch.phase) {
            Some(Phase::Ahead) => '.',
            Some(Phase::Encrypts) => '#',
            Some(Phase::Previous) => '-',
            Some(Phase::Missing) => '?',
            None if self.forgotten(life, middle) => 'x',
            None => ' ',
        };
        (sign, found.map(|stretch| stretch.phase))
    }

    /// True in the first column behind a key's end.
    fn forgotten(&self, life: &Life, middle: u64) -> bool {
        let end = life.key.and(life.stretches.last()).map(|it| it.until);
        end.is_some_and(|end| end <= middle && middle - end < self.column)
    }

    /// How long a ticket of this moment lives, to hold against the bar of its key.
    fn ticket(&self) -> String {
        let timeline = self.picture.timeline;
        let end = timeline.now.saturating_add(timeline.lifetime);
        let name = format!(
            "= {}",
            if self.wide {
                "a ticket of now"
            } else {
                "ticket"
            }
        );
        let mut out = format!("{name:<margin$}", margin = self.margin);
        for column in 0..self.columns {
            let (from, until) = self.time(column);
            let drawn = from < end && timeline.now < until;
            out.push(if drawn { '=' } else { ' ' });
        }
        cut_end(&out, self.margin + self.columns)
    }
}

fn cut_end(line: &str, width: usize) -> String {
    let line: String = line.chars().take(width).collect();
    format!("{}\n", line.trim_end())
}
