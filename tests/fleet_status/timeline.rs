//! The geometry of the timeline by reasoning: with hourly slots at 10:30, the bar of the key of
//! slot 10 covers 10:00 to 11:00, and so on for every phase.

use std::collections::BTreeMap;

use stekguard::keys::core::{
    Clock, Key, KeyId, Life, Now, Offer, Phase, Schedule, Slot, State, Timeline, View, WhenMissing,
    step,
};
use stekguard::policy::Rotation;
use stekguard::report::{Paint, Picture, timeline_svg, timeline_text};

use super::xml::{self, Element};

const HOUR: u64 = 3_600_000;
/// 2026-11-22 00:00:00 UTC: 498,696 hours after 1970 began.
const DAY: u64 = 498_696;

fn schedule() -> Schedule {
    Schedule::new(&Rotation::default(), WhenMissing::Ratchet)
}

fn key(epoch: u64) -> Key {
    let slot = Slot {
        generation: 0,
        epoch,
    };
    let id = KeyId((0x3f2a_9c00_0000_0000 + epoch).to_be_bytes());
    Key { slot, id }
}

fn at(hour: u64, minutes: u64) -> Now {
    let wall = (DAY + hour) * HOUR + minutes * 60_000;
    // Booted at the day's begin, a day before.
    let boot = wall - (DAY - 24) * HOUR;
    Now { wall, boot }
}

/// A host that looked at every start of a slot, from the day before to `until`, with keys for
/// every slot but those of `without`.
fn lived(until: Now, without: &[u64]) -> State {
    let schedule = schedule();
    let mut state = State::default();
    let mut look = |now: Now| {
        let epoch = schedule.epoch(now.wall);
        let slots = (epoch..=epoch + schedule.ahead).filter(|slot| !without.contains(slot));
        let offers = slots.map(|slot| Offer {
            key: key(slot),
            derived: false,
            made: None,
        });
        let view = View {
            offers: offers.collect(),
            ..View::default()
        };
        for _ in 0..4 {
            let looked = step(&schedule, now, &view, &state);
            state = looked.state;
            let Some(set) = looked.load else { break };
            state = state.clone().applied(&set);
        }
    };
    for epoch in DAY - 24..=schedule.epoch(until.wall) {
        look(Now {
            wall: epoch * HOUR,
            boot: (epoch - (DAY - 24)) * HOUR,
        });
    }
    look(until);
    state
}

fn timeline(now: Now, state: &State) -> Timeline {
    Timeline::of(&schedule(), 18 * HOUR, now.wall, state)
}

fn text(timeline: &Timeline, width: usize) -> String {
    let picture = Picture {
        subject: "keys of a test",
        timeline,
        hosts: &BTreeMap::new(),
    };
    timeline_text(&picture, width, Paint::new(false))
}

fn svg(timeline: &Timeline) -> String {
    let picture = Picture {
        subject: "keys of a test",
        timeline,
        hosts: &BTreeMap::new(),
    };
    timeline_svg(&picture)
}

fn life(timeline: &Timeline, epoch: u64) -> &Life {
    let found = timeline.lives.iter().find(|life| life.slot.epoch == epoch);
    found.expect("a row of this slot")
}

/// Hours of the day in which a key does this, as (from, until).
fn hours(life: &Life, phase: Phase) -> Option<(i64, i64)> {
    let found = life.stretches.iter().find(|it| it.phase == phase)?;
    let hour = |time: u64| {
        assert_eq!(time % HOUR, 0, "{life:?}");
        (time / HOUR) as i64 - DAY as i64
    };
    Some((hour(found.from), hour(found.until)))
}

#[test]
fn at_half_past_ten_every_bar_is_where_the_plan_has_it() {
    let now = at(10, 30);
    let timeline = timeline(now, &lived(now, &[]));
    // 1 that encrypts, 2 ahead, 19 previous.
    assert_eq!(timeline.lives.len(), 22);
    for life in &timeline.lives {
        let hour = life.slot.epoch as i64 - DAY as i64;
        assert_eq!(hours(life, Phase::Ahead), Some((hour - 2, hour)));
        assert_eq!(hours(life, Phase::Encrypts), Some((hour, hour + 1)));
        assert_eq!(hours(life, Phase::Previous), Some((hour + 1, hour + 20)));
        assert_eq!(life.encrypts, hour == 10);
        assert!(life.loaded && !life.derived && life.slots == 1);
    }
    // From the oldest key (15:00 of the day before) until the last is forgotten (08:00, two
    // days later), with one slot behind in which it is gone.
    assert_eq!(timeline.span(), (DAY - 9, DAY + 33));
}

/// The row of a key, as drawn: its label, and its cells by hour of the day.
fn drawn(page: &str, label: &str, margin: usize) -> String {
    let mut rows = page
        .lines()
        .filter(|line| line[2.min(line.len())..].starts_with(label));
    let row = rows
        .next()
        .unwrap_or_else(|| panic!("no row {label} in\n{page}"));
    row.chars().skip(margin).collect()
}

#[test]
fn the_text_draws_a_column_an_hour_at_80_and_four_at_200() {
    let now = at(10, 30);
    let timeline = timeline(now, &lived(now, &[]));
    let page = text(&timeline, 80);
    // 17 columns of labels; 42 slots into 63 columns: one each. The chart begins at 15:00.
    let row = drawn(&page, "10:00 3f2a9c00", 17);
    assert_eq!(row, format!("{}..#{}x", " ".repeat(17), "-".repeat(19)));
    let oldest = drawn(&page, "15:00 3f2a9c00", 17);
    assert_eq!(oldest, format!("#{}x", "-".repeat(19)));
    let newest = drawn(&page, "12:00 3f2a9c00", 17);
    assert_eq!(newest, format!("{}..#{}x", " ".repeat(19), "-".repeat(19)));
    let sign = page.lines().find(|line| line.ends_with("v now")).unwrap();
    assert_eq!(sign.find('v'), Some(17 + 19));
    // The ticket of now, from the hour of now to 04:30: columns 10:00 to 04:00.
    let ticket = drawn(&page, "ticket", 17);
    assert_eq!(ticket, format!("{}{}", " ".repeat(19), "=".repeat(19)));

    let page = text(&timeline, 200);
    // 2 + 5 + 18 + 22 columns of labels; 153 / 42 slots: three columns each.
    let row = drawn(&page, "10:00 3f2a9c0000079c12 encrypts", 47);
    let expected = format!("{}{}###{}x", " ".repeat(51), "......", "-".repeat(57));
    assert_eq!(row, expected);
    let sign = page.lines().find(|line| line.ends_with("v now")).unwrap();
    assert_eq!(sign.find('v'), Some(47 + 57 + 1));
    // Midnight carries the date.
    let ticks = page.lines().skip(2).find(|line| line.contains("11-22"));
    let ticks = ticks.unwrap();
    assert_eq!(ticks.find("11-22"), Some(47 + 27), "{page}");
    assert_eq!(ticks.find("11-23"), Some(47 + 27 + 72), "{page}");
}

#[test]
fn every_width_is_kept_and_every_key_has_its_bar() {
    let now = at(10, 30);
    let state = lived(now, &[]);
    let timeline = timeline(now, &state);
    for width in 0..=260 {
        let page = text(&timeline, width);
        let most = width.clamp(60, 200);
        for line in page.lines() {
            assert!(line.chars().count() <= most, "{width}: {line}");
        }
        for hour in 0..=12 {
            let label = format!("{hour:02}:00 3f2a9c00");
            assert!(drawn(&page, &label, 9).contains('#'), "{width}: {page}");
        }
    }
}

#[test]
fn a_plan_of_many_short_slots_still_fits() {
    let rotation = Rotation {
        interval: 30,
        previous: 500,
        lifetime: 14_000,
        ..Rotation::default()
    };
    let schedule = Schedule::new(&rotation, WhenMissing::Ratchet);
    let epoch = DAY * 120;
    let mut state = State::default();
    for slot in epoch - 500..=epoch + 2 {
        state
            .held
            .push(stekguard::keys::core::Held::new(key(slot), false));
    }
    let timeline = Timeline::of(&schedule, 14_000_000, epoch * 30_000 + 100, &state);
    for width in [60, 80, 100, 200] {
        let page = text(&timeline, width);
        assert!(page.lines().all(|line| line.chars().count() <= width));
        // 503 keys, 100 rows; each with the column in which it encrypts.
        assert!(page.contains("403 older keys are not drawn"), "{page}");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.contains(" 3f2a9c"))
            .collect();
        assert_eq!(rows.len(), 100);
        assert!(rows.iter().all(|row| row.contains('#')), "{page}");
    }
    let picture = xml::parse(&svg(&timeline));
    assert_eq!(bars(&picture).len(), 100);
}

#[test]
fn missing_slots_derived_keys_and_a_late_key_are_marked() {
    // No key came for 08:00, 09:00 and 10:00: the one of 07:00 goes on.
    let now = at(9, 20);
    let without: Vec<u64> = (DAY + 8..DAY + 30).collect();
    let state = lived(now, &without);
    let late = timeline(now, &state);
    let seven = life(&late, DAY + 7);
    let encrypts = seven
        .stretches
        .iter()
        .find(|it| it.phase == Phase::Encrypts)
        .unwrap();
    assert_eq!(
        (encrypts.from, encrypts.until),
        ((DAY + 7) * HOUR, now.wall)
    );
    assert!(seven.encrypts);
    let gap = life(&late, DAY + 8);
    assert_eq!((gap.slots, gap.key), (4, None));
    assert_eq!(hours(gap, Phase::Missing), Some((8, 12)));
    let page = text(&late, 120);
    assert!(
        page.contains("? 08:00 no key           4 missing"),
        "{page}"
    );
    assert!(drawn(&page, "08:00", 47).trim() == "????", "{page}");

    // Then a derived key, and one of the store for 10:00 that is not loaded.
    let mut held = stekguard::keys::core::Held::new(key(DAY + 9), true);
    held.loaded = true;
    let mut more = state.clone();
    more.held.push(held);
    more.held
        .push(stekguard::keys::core::Held::new(key(DAY + 10), false));
    let page = text(&timeline(now, &more), 120);
    assert!(
        page.contains("previous, derived") || page.contains("derived"),
        "{page}"
    );
    assert!(page.contains("! 10:00"), "{page}");
    assert!(page.contains("~ 09:00"), "{page}");
    assert!(page.contains("ahead, not loaded"), "{page}");
    let lives = timeline(now, &more).lives;
    let gaps: Vec<(u64, u64)> = lives
        .iter()
        .filter(|life| life.key.is_none())
        .map(|life| (life.slot.epoch - DAY, life.slots))
        .collect();
    assert_eq!(gaps, [(8, 1), (11, 1)]);
}

/// No two bars of encryption share a moment, whatever happened: I4 as a picture.
#[test]
fn bars_of_encryption_do_not_overlap() {
    for without in [
        vec![],
        vec![DAY + 8],
        vec![DAY + 3, DAY + 4],
        (DAY + 2..DAY + 9).collect(),
    ] {
        for (hour, minute) in [(5, 0), (9, 1), (9, 59), (12, 30)] {
            let now = at(hour, minute);
            let timeline = timeline(now, &lived(now, &without));
            let mut bars: Vec<(u64, u64)> = timeline
                .lives
                .iter()
                .flat_map(|life| &life.stretches)
                .filter(|it| it.phase == Phase::Encrypts)
                .map(|it| (it.from, it.until))
                .collect();
            bars.sort_unstable();
            for pair in bars.windows(2) {
                assert!(
                    pair[0].1 <= pair[1].0,
                    "{without:?} {hour}:{minute} {bars:?}"
                );
            }
            let encrypting = timeline.lives.iter().filter(|life| life.encrypts).count();
            assert_eq!(encrypting, 1);
        }
    }
}

#[test]
fn damaged_numbers_of_a_state_end_in_a_picture_all_the_same() {
    for epoch in [0, 1, DAY, u64::MAX - 1, u64::MAX] {
        for stopped in [None, Some(0), Some(u64::MAX)] {
            let mut state = State::default();
            let mut held = stekguard::keys::core::Held::new(key_at(epoch), false);
            held.stopped = stopped;
            state.held.push(held);
            for now in [0, DAY * HOUR, u64::MAX] {
                let mut state = state.clone();
                state.clock = Some(Clock::start(Now { wall: now, boot: 0 }));
                for plan in [(1, 0, 0), (u64::MAX, u32::MAX, u32::MAX), (60, u32::MAX, 0)] {
                    let rotation = Rotation {
                        interval: plan.0,
                        ahead: plan.1,
                        previous: plan.2,
                        ..Rotation::default()
                    };
                    let schedule = Schedule::new(&rotation, WhenMissing::Ratchet);
                    let timeline = Timeline::of(&schedule, u64::MAX, now, &state);
                    let page = text(&timeline, 80);
                    assert!(page.len() < 20_000);
                    xml::parse(&svg(&timeline));
                }
            }
        }
    }
}

fn key_at(epoch: u64) -> Key {
    Key {
        slot: Slot {
            generation: 0,
            epoch,
        },
        id: KeyId([7; 8]),
    }
}

/// Bars of encryption of a picture, by the words of their row's title.
fn bars(picture: &Element) -> BTreeMap<String, (f64, f64)> {
    let rows = picture.children.iter().filter(|it| it.class() == "key");
    let bar = |row: &Element| {
        let title = row
            .children
            .iter()
            .find(|it| it.name == "title")?
            .text
            .clone();
        let bar = row.children.iter().find(|it| it.class() == "encrypts")?;
        let x = bar.number("x");
        Some((title, (x, x + bar.number("width"))))
    };
    rows.filter_map(bar).collect()
}

#[test]
fn the_picture_is_xml_whose_bars_lie_at_their_hours() {
    let now = at(10, 30);
    let timeline = timeline(now, &lived(now, &[]));
    let page = svg(&timeline);
    assert_eq!(page, svg(&timeline), "the same input, the same picture");
    let picture = xml::parse(&page);
    assert_eq!(picture.name, "svg");
    assert_eq!(picture.attributes["xmlns"], "http://www.w3.org/2000/svg");
    assert_eq!(picture.attributes["role"], "img");
    assert_eq!(picture.attributes["aria-labelledby"], "title desc");
    let by_id = |id: &str| {
        let all = picture.all();
        let found = all
            .iter()
            .find(|it| it.attributes.get("id").is_some_and(|it| it == id));
        found.unwrap_or_else(|| panic!("no {id}")).text.clone()
    };
    assert_eq!(by_id("title"), "keys of a test at 2026-11-22 10:30:00Z");
    let words = by_id("desc");
    let says = "encrypts from 2026-11-22 10:00:00Z to 2026-11-22 11:00:00Z";
    assert!(words.contains(says), "{words}");
    assert!(
        words.contains("2 coming keys and 19 past keys decrypt"),
        "{words}"
    );

    // 42 slots over 624 units from 206 on: a slot is 624 / 42 wide, hour h begins h + 9 slots in.
    let slot = 624.0 / 42.0;
    let bars = bars(&picture);
    assert_eq!(bars.len(), 22);
    for hour in 0..=12_u64 {
        let name = format!("of slot {}:", DAY + hour);
        let (_, (from, until)) = bars
            .iter()
            .find(|(title, _)| title.contains(&name))
            .unwrap();
        let start = 206.0 + (hour + 9) as f64 * slot;
        assert!((from - start).abs() < 0.02, "{hour}: {from} {start}");
        assert!((until - start - slot).abs() < 0.02, "{hour}: {until}");
    }
    let all = picture.all();
    let line = all.iter().find(|it| it.class() == "now").unwrap();
    assert!((line.number("x1") - (206.0 + 19.5 * slot)).abs() < 0.02);

    // Nothing outside of the picture, nothing that runs, nothing that leads elsewhere.
    let (width, height) = (picture.number("width"), picture.number("height"));
    assert!(width <= 1000.0 && height <= 2400.0);
    for element in &all {
        assert!(!["script", "a", "image", "use", "foreignObject"].contains(&element.name.as_str()));
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && !name.contains("href"), "{name}");
            let inside = !value.contains("url(") || value.starts_with("url(#");
            assert!(inside, "{value}");
        }
        if element.name == "rect" && element.attributes.contains_key("x") {
            assert!(element.number("x") >= 0.0);
            assert!(element.number("x") + element.number("width") <= width + 0.01);
            assert!(element.number("y") + element.number("height") <= height + 0.01);
        }
    }
    // Each phase has a look of its own without colours: solid, dots, lines, a dashed frame.
    let fills = |class: &str| {
        let bar = all
            .iter()
            .find(|it| it.name == "rect" && it.class() == class)
            .unwrap();
        bar.attributes.get("fill").cloned()
    };
    assert_eq!(fills("ahead").as_deref(), Some("url(#dots)"));
    assert_eq!(fills("previous").as_deref(), Some("url(#lines)"));
    assert_eq!((fills("encrypts"), fills("missing")), (None, None));
}

#[test]
fn hostile_names_stay_text() {
    let now = at(10, 30);
    let timeline = timeline(now, &lived(now, &[]));
    let subject = "</title><script>alert(1)</script>\x1b[31m\u{202e}\0\"'&";
    let picture = Picture {
        subject,
        timeline: &timeline,
        hosts: &BTreeMap::new(),
    };
    let root = xml::parse(&timeline_svg(&picture));
    assert!(root.all().iter().all(|it| it.name != "script"));
    let title = &root.children[0].text;
    assert!(title.starts_with("</title><script>alert(1)</script>\\x1b[31m\\u{202e}\\x00\"'&"));
    let page = timeline_text(&picture, 120, Paint::new(false));
    assert!(!page.contains(['\x1b', '\u{202e}', '\0']), "{page}");
    let long = "é".repeat(5000);
    let picture = Picture {
        subject: &long,
        ..picture
    };
    let page = timeline_text(&picture, 60, Paint::new(false));
    assert!(page.lines().all(|line| line.chars().count() <= 60));
}
