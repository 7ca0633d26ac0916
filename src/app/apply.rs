//! A patch to files: tested by the server, written in an order that is sound at every step,
//! and made live where that is asked for. What fails leaves everything as it was.

use std::path::PathBuf;

use super::clock::now;
use super::lint::Session;
use super::mixture::{Concerned, Mixtures};
use super::reload::{self, Reloaded, Running};
use super::validate::{Tested, Trial, Validate, validate};
use super::{AppError, Repair, Request};
use crate::finding::GoLive;
use crate::fix::{self, FixError, Gates, Order, PlannedFile, State};

/// How to apply.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Wish {
    /// The server's own test.
    pub validate: Validate,
    /// Have the running servers read the new files.
    pub reload: bool,
}

/// What was done.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Applied {
    /// The number in the journal; `None` where nothing changes.
    pub id: Option<u64>,
    /// The files in the order in which they were replaced.
    pub files: Vec<PathBuf>,
    /// Why a server that reads them while they are replaced may find them broken.
    pub broken_between: Option<String>,
    /// Each configuration concerned and its test.
    pub tested: Vec<Tested>,
    /// The servers that were reloaded.
    pub reloaded: Vec<Reloaded>,
    /// Files that an earlier, interrupted run had left and that are as they were again.
    pub recovered: Vec<PathBuf>,
    /// Files of an earlier, interrupted run that somebody has changed since.
    pub left: Vec<PathBuf>,
    /// How many of the oldest writes can no longer be taken back.
    pub forgotten: usize,
}

/// Writes the files of a repair, with a way back in the journal.
///
/// # Errors
/// [`AppError::Fix`]; nothing has changed then, unless it says so.
pub fn apply(request: &Request, repair: &Repair, wish: &Wish) -> Result<Applied, AppError> {
    let files = &repair.plan.files;
    if files.is_empty() {
        return Ok(Applied::default());
    }
    let state = State::from_environment()?;
    let session = Session::open(request)?;
    let mixtures = Mixtures::new(&session, files);
    let running = match wish.reload {
        true => running(repair, &mixtures.concerned)?,
        false => Vec::new(),
    };
    let order = find_order(files, &mixtures);
    let mut doors = Doors {
        files,
        state: &state,
        wish,
        concerned: &mixtures.concerned,
        running,
        done: Applied {
            broken_between: order.broken.clone(),
            ..Applied::default()
        },
    };
    let written = fix::write_through(files, &order, &state, now(), &mut doors)?;
    let mut done = doors.done;
    done.id = Some(written.id);
    done.files = written.files;
    done.forgotten = written.forgotten;
    for recovered in written.recovered {
        done.recovered.extend(recovered.restored);
        done.left.extend(recovered.left);
    }
    Ok(done)
}

/// In which order the files of a repair would be replaced, and why that is not sound where no
/// order is; `None` where nothing changes.
///
/// # Errors
/// [`AppError`] where the configurations cannot be read again.
pub fn order_of(
    request: &Request,
    repair: &Repair,
) -> Result<(Vec<PathBuf>, Option<String>), AppError> {
    let files = &repair.plan.files;
    let order = match usual_order(files) {
        Some(order) => order,
        None => {
            let session = Session::open(request)?;
            find_order(files, &Mixtures::new(&session, files))
        }
    };
    let named = order.sequence.iter().filter_map(|index| {
        let file = files.get(*index)?;
        let opened = file.paths.first().map(|path| path.to_path_buf());
        file.real.clone().or(opened)
    });
    Ok((named.collect(), order.broken))
}

/// Each step of the way is a whole configuration to judge: beyond so many files the steps are
/// not tried, and that is said.
const MOST_FILES: usize = 64;

fn usual_order(files: &[PlannedFile]) -> Option<Order> {
    let count = files.len();
    (count > MOST_FILES).then(|| Order {
        broken: Some(format!(
            "whether every step is sound was not tried: {count} files are replaced, and up to \
             {MOST_FILES} are tried"
        )),
        ..Order::usual(count)
    })
}

fn find_order(files: &[PlannedFile], mixtures: &Mixtures<'_>) -> Order {
    usual_order(files).unwrap_or_else(|| Order::find(files.len(), &mut |new| mixtures.sound(new)))
}

/// The servers to reload, where a reload is what makes the repair live.
fn running(repair: &Repair, concerned: &[Concerned]) -> Result<Vec<Running>, FixError> {
    if repair.plan.go_live == Some(GoLive::StopAndStart) {
        return Err(FixError::Refused(
            "--reload would end the server, though its configuration test passes: write without \
             --reload, then stop the server and start it again"
                .to_owned(),
        ));
    }
    let found = concerned.iter().map(|it| reload::running(&it.old, &it.new));
    found
        .collect::<Result<Vec<Running>, String>>()
        .map_err(|why| FixError::Refused(format!("--reload: {why}")))
}

/// The tests before the files change, and the reload afterwards.
struct Doors<'a> {
    files: &'a [PlannedFile],
    state: &'a State,
    wish: &'a Wish,
    concerned: &'a [Concerned],
    running: Vec<Running>,
    done: Applied,
}

impl Gates for Doors<'_> {
    fn before(&mut self) -> Result<(), FixError> {
        for it in self.concerned {
            let trial = Trial {
                loaded: &it.new.loaded,
                files: self.files,
                state: self.state,
            };
            self.done
                .tested
                .push(validate(&trial, &self.wish.validate)?);
        }
        Ok(())
    }

    fn after(&mut self) -> Result<(), FixError> {
        for (running, it) in self.running.iter().zip(self.concerned) {
            let root = &it.new.loaded.root.path;
            let reloaded = running.reload(root).map_err(FixError::NotLive)?;
            self.done.reloaded.push(reloaded);
        }
        Ok(())
    }
}
