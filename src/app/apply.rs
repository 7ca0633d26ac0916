//! A patch to files: tested by the server, written in an order that is sound at every step,
//! and made live where that is asked for. What fails leaves everything as it was.

use std::path::PathBuf;

use super::clock::now;
use super::lint::Session;
use super::mixture::{Concerned, Mixtures};
use super::order;
use super::reload::{self, Reloaded, Running};
use super::validate::{Tested, Trial, Validate, validate};
use super::{AppError, Repair, Request};
use crate::finding::GoLive;
use crate::fix::{self, FixError, Gates, PlannedFile, State};

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
    let order = order::find(files, &mixtures);
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
/// order is. Of many files the steps are tried when they are written.
///
/// # Errors
/// [`AppError`] where the configurations cannot be read again.
pub fn order_of(
    request: &Request,
    repair: &Repair,
) -> Result<(Vec<PathBuf>, Option<String>), AppError> {
    let files = &repair.plan.files;
    let order = match order::is_long(files) {
        true => order::untried(files),
        false => {
            let session = Session::open(request)?;
            order::find(files, &Mixtures::new(&session, files))
        }
    };
    let named = order.sequence.iter().filter_map(|index| {
        let file = files.get(*index)?;
        let opened = file.paths.first().map(|path| path.to_path_buf());
        file.real.clone().or(opened)
    });
    Ok((named.collect(), order.broken))
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
