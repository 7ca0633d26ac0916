//! Colours, asked for once and then the same for a whole report.
//!
//! Whether a stream takes colours is decided by the caller; nothing here looks at the
//! environment.

use colored::{Color, Colorize};

/// Paints, or does not.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// With or without colours.
    pub fn new(colour: bool) -> Self {
        // `colored` would otherwise decide by the environment, for all streams alike.
        colored::control::set_override(true);
        Self { colour }
    }

    /// True when it paints.
    pub const fn colour(self) -> bool {
        self.colour
    }

    /// Bold.
    pub fn bold(self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        text.bold().to_string()
    }

    /// Less important.
    pub fn dim(self, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        text.dimmed().to_string()
    }

    /// Wrong.
    pub fn bad(self, text: &str) -> String {
        self.in_colour(text, Color::Red)
    }

    /// Doubtful.
    pub fn doubtful(self, text: &str) -> String {
        self.in_colour(text, Color::Yellow)
    }

    /// Right.
    pub fn good(self, text: &str) -> String {
        self.in_colour(text, Color::Green)
    }

    /// A heading inside a diff.
    pub fn place(self, text: &str) -> String {
        self.in_colour(text, Color::Cyan)
    }

    fn in_colour(self, text: &str, colour: Color) -> String {
        if !self.colour {
            return text.to_owned();
        }
        text.color(colour).to_string()
    }
}
