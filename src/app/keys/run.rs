//! `keys run`: the same runs in a row, for hosts and containers without timers of their own.
//! Ends only when it is killed, which is safe at any moment.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::{KeysGoal, KeysRequest, Rotated, port, rotate};
use crate::app::{AppError, clock};
use crate::keys::{KeysError, Status, keep_to_itself, pause};

/// What one run came to.
#[derive(Debug)]
pub enum Tick {
    /// Before the first run: what the system refuses to this process.
    Start(Vec<String>),
    /// It ran.
    Ran(Box<Rotated>, Box<Status>),
    /// It could not; the next one is tried all the same.
    Failed(AppError),
}

/// Runs until killed; `tell` hears of every run, and its text is served as metrics.
///
/// # Errors
/// [`AppError::Keys`] where the first run cannot be made, or the port cannot be had.
pub fn run(
    request: &KeysRequest,
    metrics: Option<SocketAddr>,
    tell: &mut dyn FnMut(&Tick) -> Option<String>,
) -> Result<(), AppError> {
    tell(&Tick::Start(keep_to_itself()));
    let page = match metrics {
        Some(address) => Some(port::open(address).map_err(KeysError::Port)?),
        None => None,
    };
    let mut goal = KeysGoal::Init;
    loop {
        let tick = tick(request, goal);
        if let (Tick::Failed(_), KeysGoal::Init) = (&tick, goal)
            && !request.folder.is_dir()
        {
            // Nothing that waiting would mend.
            let Tick::Failed(error) = tick else { continue };
            return Err(error);
        }
        let text = tell(&tick);
        if let (Some(page), Some(text)) = (&page, text) {
            page.show(text);
        }
        let schedule = request.schedule();
        let due = match &tick {
            Tick::Ran(_, status) => {
                goal = KeysGoal::Rotate;
                // A failed change is tried again soon.
                pause(&schedule, status.due)
            }
            _ => Duration::from_millis((schedule.interval / 20).clamp(1, 60_000)),
        };
        thread::sleep(due);
    }
}

fn tick(request: &KeysRequest, goal: KeysGoal) -> Tick {
    let ran = || -> Result<Tick, AppError> {
        let rotated = rotate::once(request, goal)?;
        let folder = request.folder()?;
        let status = Status::read(&folder, &request.schedule(), clock::both())?;
        Ok(Tick::Ran(Box::new(rotated), Box::new(status)))
    };
    ran().unwrap_or_else(Tick::Failed)
}
