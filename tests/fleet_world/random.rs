//! Chance that can be repeated: splitmix64.

#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each part of a world.
    pub fn of(seed: u64, part: u64) -> Self {
        let mut random = Self(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `most`; 0 where that is 0.
    pub fn below(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.next() % most }
    }

    pub fn chance(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.below(1000) < of_1000
    }

    /// Between minus and plus `most`; every third time at an end.
    pub fn around(&mut self, most: u64) -> i64 {
        let most = most as i64;
        match self.below(6) {
            0 => most,
            1 => -most,
            _ => self.below(2 * most as u64 + 1) as i64 - most,
        }
    }
}
