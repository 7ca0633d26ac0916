//! Moments for people: the civil calendar in UTC, from seconds since 1970. Pure.

/// A moment by the calendar.
#[derive(Copy, Clone, Debug)]
pub(super) struct Moment {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Moment {
    /// From seconds since 1970.
    pub(super) fn of(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Days since 0000-03-01, so that a leap day ends its year; 400 years have 146097 days.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest % 3_600 / 60,
            second: rest % 60,
        }
    }

    /// `2026-11-21`.
    pub(super) fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `18:48`, or with seconds where slots are shorter than a minute, or `11-21` where they are
    /// days.
    pub(super) fn beside(self, interval: u64) -> String {
        match interval {
            0..60 => format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second),
            60..86_400 => format!("{:02}:{:02}", self.hour, self.minute),
            _ => format!("{:02}-{:02}", self.month, self.day),
        }
    }
}

/// Seconds since 1970 as `2026-11-21 18:48:52Z`.
pub fn utc(seconds: u64) -> String {
    let moment = Moment::of(seconds);
    format!("{} {}Z", moment.date(), moment.beside(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(utc(1_767_225_599), "2025-12-31 23:59:59Z");
        // No moment is too late for it.
        assert!(utc(u64::MAX).ends_with('Z'));
    }
}
