//! How many threads read and judge: as many as there are processors, or what `RAYON_NUM_THREADS`
//! says, but not any number.

const VARIABLE: &str = "RAYON_NUM_THREADS";

/// More do not help on any machine there is; a thousand wait for each other for minutes.
const MOST: usize = 64;

/// Keeps what the variable asks for within reason. Starts nothing where it is not set so high.
pub fn bound_threads() {
    let asked = std::env::var(VARIABLE).ok();
    let asked = asked.and_then(|text| text.parse::<usize>().ok());
    if asked.is_some_and(|asked| asked > MOST) {
        // It fails where there is a pool already, whose size somebody else has chosen.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(MOST)
            .build_global();
    }
}
