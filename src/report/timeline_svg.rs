//! Which key encrypts and decrypts when, as one SVG picture: readable without colours (every
//! phase has a pattern of its own), on light and dark ground, and by a screen reader. No script,
//! no reference to anything outside, a bounded size.

use super::moment::{Moment, utc};
use super::timeline::{Picture, between_ticks};
use super::xml::Xml;
use crate::keys::core::{Life, Phase, Stretch};

/// Sizes in the picture's own units, which are pixels where it is not scaled.
const WIDTH: f64 = 1000.0;
const LEFT: f64 = 206.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 92.0;
const ROW: f64 = 20.0;
const BAR: f64 = 13.0;
const LEGEND: f64 = 64.0;
/// What a tick's label takes.
const TICK: f64 = 66.0;

const STYLE: &str = "
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1b1f23}
.title{font-size:15px;font-weight:bold}
.dim{fill:#57606a}
.strong{font-weight:bold}
.middle{text-anchor:middle}
.ground{fill:#fff}
.stripe{fill:#f3f4f6}
.grid{stroke:#c9ced4;stroke-width:1}
.now{stroke:#1b1f23;stroke-width:1.5;stroke-dasharray:4 3}
.encrypts{fill:#0b4f9e;stroke:#0b4f9e}
.ahead,.previous{stroke:#1b1f23;stroke-width:1}
.missing{fill:none;stroke:#b3261e;stroke-width:2;stroke-dasharray:5 3}
.bad{fill:#b3261e}
.ticket{fill:#1b1f23}
.ink{fill:#1b1f23}
.hatch{stroke:#1b1f23;stroke-width:1}
.paper{fill:#fff}
@media (prefers-color-scheme: dark){
text,.ticket,.ink{fill:#e6edf3}
.dim{fill:#9aa5b1}
.ground,.paper{fill:#0f1419}
.stripe{fill:#1a2027}
.grid{stroke:#3a424c}
.now,.ahead,.previous,.hatch{stroke:#e6edf3}
.encrypts{fill:#6cb6ff;stroke:#6cb6ff}
.missing{stroke:#ff8a80}
.bad{fill:#ff8a80}
}
";

/// The picture.
pub fn svg(picture: &Picture<'_>) -> String {
    let mut sheet = Sheet::new(picture);
    sheet.open();
    sheet.head();
    let (rows, left_out) = picture.rows();
    sheet.stripes(rows.len());
    sheet.axis(rows.len());
    for (index, life) in rows.iter().enumerate() {
        sheet.row(index, life);
    }
    sheet.ticket(rows.len());
    sheet.now(rows.len());
    sheet.legend(rows.len(), left_out);
    sheet.xml.finish()
}

struct Sheet<'a> {
    picture: &'a Picture<'a>,
    xml: Xml,
    from: u64,
    until: u64,
}

impl<'a> Sheet<'a> {
    fn new(picture: &'a Picture<'a>) -> Self {
        let timeline = picture.timeline;
        let (first, end) = timeline.span();
        let from = timeline.schedule.start(first);
        Self {
            picture,
            xml: Xml::new(),
            from,
            until: timeline.schedule.start(end).max(from.saturating_add(1)),
        }
    }

    /// Where a moment lies, inside of the chart.
    fn x(&self, time: u64) -> f64 {
        let time = time.clamp(self.from, self.until) - self.from;
        let share = time as f64 / (self.until - self.from) as f64;
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn open(&mut self) {
        let (rows, _) = self.picture.rows();
        let height = bottom(rows.len()) + LEGEND;
        let size = format!("0 0 {} {}", number(WIDTH), number(height));
        let style = format!("max-width:{}px;height:auto", number(WIDTH));
        self.xml.open(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("viewBox", &size),
                ("width", &number(WIDTH)),
                ("height", &number(height)),
                ("style", &style),
                ("role", "img"),
                ("aria-labelledby", "title desc"),
            ],
        );
        self.words("title", &[("id", "title")], &self.title());
        self.words("desc", &[("id", "desc")], &self.description());
        let style: Vec<String> = STYLE.lines().map(str::to_owned).collect();
        self.xml.lines("style", &[], &style);
        self.patterns();
        let (width, height) = (number(WIDTH), number(height));
        let ground = [("class", "ground"), ("width", &width), ("height", &height)];
        self.xml.empty("rect", &ground);
    }

    fn title(&self) -> String {
        let now = utc(self.picture.timeline.now / 1000);
        format!("{} at {now}", self.picture.subject)
    }

    /// The picture in words.
    fn description(&self) -> String {
        let timeline = self.picture.timeline;
        let mut out = format!("Slot {}; {}. ", timeline.epoch, self.picture.plan());
        let lives = || timeline.lives.iter();
        match lives().find(|life| life.encrypts) {
            Some(life) => {
                let id = life.key.map_or_else(String::new, |key| key.to_string());
                out.push_str(&format!("Key {id} encrypts{}.", self.when(life)));
            }
            None => out.push_str("No key encrypts."),
        }
        let keys = || lives().filter(|life| life.key.is_some() && !life.encrypts);
        let ahead = keys()
            .filter(|life| life.slot.epoch > timeline.epoch)
            .count();
        out.push_str(&format!(
            " {ahead} coming keys and {} past keys decrypt.",
            keys().count() - ahead
        ));
        let missing: u64 = lives()
            .filter(|it| it.key.is_none())
            .map(|it| it.slots)
            .sum();
        if missing > 0 {
            out.push_str(&format!(" Slots without a key: {missing}."));
        }
        let derived = lives().filter(|life| life.derived).count();
        if derived > 0 {
            out.push_str(&format!(" Derived keys: {derived}."));
        }
        out
    }

    /// ` from ... to ...` of the stretch in which it encrypts.
    fn when(&self, life: &Life) -> String {
        let stretch = life.stretches.iter().find(|it| it.phase == Phase::Encrypts);
        stretch.map_or_else(String::new, |it| {
            format!(" from {} to {}", utc(it.from / 1000), utc(it.until / 1000))
        })
    }

    fn patterns(&mut self) {
        self.xml.open("defs", &[]);
        let square = [
            ("width", "6"),
            ("height", "6"),
            ("patternUnits", "userSpaceOnUse"),
        ];
        let paper = [("class", "paper"), ("width", "6"), ("height", "6")];
        let with = |id: &'static str| [&[("id", id)], &square[..]].concat();
        self.xml.open("pattern", &with("dots"));
        self.xml.empty("rect", &paper);
        let dot = [("class", "ink"), ("cx", "3"), ("cy", "3"), ("r", "1.1")];
        self.xml.empty("circle", &dot);
        self.xml.close();
        self.xml.open("pattern", &with("lines"));
        self.xml.empty("rect", &paper);
        self.xml.empty(
            "path",
            &[("class", "hatch"), ("d", "M-1 7L7 -1M-1 1L1 -1M5 7L7 5")],
        );
        self.xml.close();
        self.xml.close();
    }

    fn head(&mut self) {
        self.text(16.0, 26.0, "title", &self.title());
        let line = format!(
            "slot {}: {}",
            self.picture.timeline.epoch,
            self.picture.plan()
        );
        self.text(16.0, 46.0, "dim", &line);
        self.text(16.0, TOP - 10.0, "dim", "UTC");
        self.text(84.0, TOP - 10.0, "dim", "key");
    }

    /// Every other row, so that an eye finds from a label to its bar.
    fn stripes(&mut self, rows: usize) {
        for index in (0..rows).step_by(2) {
            let y = TOP + index as f64 * ROW;
            self.rectangle("stripe", (8.0, WIDTH - 8.0), y, ROW, None);
        }
    }

    fn axis(&mut self, rows: usize) {
        let schedule = self.picture.timeline.schedule;
        let (first, end) = (schedule.epoch(self.from), schedule.epoch(self.until));
        let slots = end.saturating_sub(first).max(1);
        let step = between_ticks(TICK, (WIDTH - LEFT - RIGHT) / slots as f64);
        let mut epoch = first.next_multiple_of(step);
        while epoch < end {
            let x = self.x(schedule.start(epoch));
            self.line("grid", (x, TOP - 4.0), (x, bottom(rows)));
            let label = self.picture.tick(epoch);
            self.text(x + 2.0, TOP - 10.0, "dim", &label);
            epoch = epoch.saturating_add(step);
        }
    }

    fn row(&mut self, index: usize, life: &Life) {
        let y = TOP + index as f64 * ROW;
        let base = y + 14.0;
        let words = self.picture.words(life);
        let class = match (life.key, life.encrypts) {
            (None, _) => "bad strong",
            (Some(_), true) => "strong",
            _ => "",
        };
        let id = life.key.map_or("no key".to_owned(), |key| key.to_string());
        let start = self.picture.start(life.slot.epoch);
        self.xml.open("g", &[("class", "key")]);
        let title = format!(
            "{id} of slot {}: {words}{}",
            life.slot.epoch,
            self.when(life)
        );
        self.words("title", &[], &title);
        self.text(16.0, base, class, &start);
        self.text(84.0, base, class, &id);
        for stretch in &life.stretches {
            self.bar(stretch, y);
        }
        self.text(WIDTH - RIGHT + 8.0, base, class, &words);
        self.xml.close();
    }

    fn bar(&mut self, stretch: &Stretch, y: f64) {
        let (class, fill) = look(stretch.phase);
        let across = (self.x(stretch.from), self.x(stretch.until));
        self.rectangle(class, across, y + (ROW - BAR) / 2.0, BAR, fill);
    }

    /// How long a ticket of this moment lives, under the bar of its key.
    fn ticket(&mut self, rows: usize) {
        let timeline = self.picture.timeline;
        let y = TOP + rows as f64 * ROW;
        let end = timeline.now.saturating_add(timeline.lifetime);
        let across = (self.x(timeline.now), self.x(end));
        self.text(16.0, y + 14.0, "", "a ticket of now");
        self.rectangle("ticket", across, y + 8.0, 4.0, None);
        let words = format!("until {}", utc(end / 1000).get(5..16).unwrap_or_default());
        self.text(WIDTH - RIGHT + 8.0, y + 14.0, "", &words);
    }

    fn now(&mut self, rows: usize) {
        let now = self.picture.timeline.now;
        let x = self.x(now);
        self.line("now", (x, TOP - 4.0), (x, bottom(rows)));
        let interval = self.picture.timeline.schedule.interval / 1000;
        let label = Moment::of(now / 1000).beside(interval.min(86_399));
        self.text(x, TOP - 27.0, "strong middle", &format!("now {label}"));
    }

    fn legend(&mut self, rows: usize, left_out: usize) {
        let y = bottom(rows) + 14.0;
        let signs = [
            (Phase::Encrypts, "encrypts"),
            (Phase::Ahead, "slot to come: decrypts only"),
            (Phase::Previous, "slot over: decrypts only"),
            (Phase::Missing, "no key"),
        ];
        let mut x = 16.0;
        for (phase, words) in signs {
            let (class, fill) = look(phase);
            self.rectangle(class, (x, x + 26.0), y, BAR, fill);
            self.text(x + 34.0, y + 11.0, "", words);
            x += 34.0 + words.len() as f64 * 7.4 + 26.0;
        }
        let mut words = "Where a bar ends, the key is forgotten. Times are UTC.".to_owned();
        if left_out > 0 {
            words.push_str(&format!(" {left_out} older keys are not drawn."));
        }
        self.text(16.0, y + 34.0, "dim", &words);
    }

    fn rectangle(
        &mut self,
        class: &str,
        across: (f64, f64),
        y: f64,
        height: f64,
        fill: Option<&str>,
    ) {
        // A bar that is too short to see is no bar.
        let width = (across.1 - across.0).max(1.0);
        let (x, y) = (number(across.0), number(y));
        let (width, height) = (number(width), number(height));
        let mut attributes = vec![
            ("class", class),
            ("x", x.as_str()),
            ("y", &y),
            ("width", &width),
            ("height", &height),
        ];
        attributes.extend(fill.map(|fill| ("fill", fill)));
        self.xml.empty("rect", &attributes);
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let numbers = [from.0, from.1, to.0, to.1].map(number);
        let [x1, y1, x2, y2] = &numbers;
        let ends = [("x1", x1.as_str()), ("y1", y1), ("x2", x2), ("y2", y2)];
        let attributes = [&[("class", class)], &ends[..]].concat();
        self.xml.empty("line", &attributes);
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let (x, y) = (number(x), number(y));
        let mut attributes = vec![("x", x.as_str()), ("y", &y)];
        attributes.extend((!class.is_empty()).then_some(("class", class)));
        self.words("text", &attributes, text);
    }

    fn words(&mut self, name: &'static str, attributes: &[(&'static str, &str)], text: &str) {
        self.xml.lines(name, attributes, &[text.to_owned()]);
    }
}

/// The class and the pattern of a bar.
fn look(phase: Phase) -> (&'static str, Option<&'static str>) {
    match phase {
        Phase::Ahead => ("ahead", Some("url(#dots)")),
        Phase::Encrypts => ("encrypts", None),
        Phase::Previous => ("previous", Some("url(#lines)")),
        Phase::Missing => ("missing", None),
    }
}

/// Where the rows and the ticket's line end.
fn bottom(rows: usize) -> f64 {
    TOP + (rows + 1) as f64 * ROW + 4.0
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
