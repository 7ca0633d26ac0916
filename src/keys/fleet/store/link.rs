//! One connection to a server, kept between calls and made anew when it is gone. Knows no
//! protocol; a call is a closure that speaks it.

use std::time::Duration;

use super::address::Place;
use super::clock::Deadline;
use super::failed::Failed;
use super::tls::Tls;
use super::wire::Wire;

/// A connection, if there is one, with what a codec remembers of it.
pub(super) struct Link<C> {
    place: Place,
    tls: Option<Tls>,
    patience: Duration,
    open: Option<(Wire, C)>,
}

impl<C: Default> Link<C> {
    pub(super) fn new(place: Place, tls: Option<Tls>, patience: Duration) -> Self {
        Self {
            place,
            tls,
            patience,
            open: None,
        }
    }

    /// Makes a call, within the patience. A kept connection may have died meanwhile: then a new
    /// one is made, greeted, and the call is made again; `work` is told that it is the second.
    pub(super) fn call<T>(
        &mut self,
        greet: impl FnOnce(&mut Wire, &mut C) -> Result<(), Failed>,
        mut work: impl FnMut(&mut Wire, &mut C, bool) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let deadline = Deadline::after(self.patience);
        let mut again = false;
        if let Some((mut wire, mut codec)) = self.open.take() {
            wire.until(deadline);
            let done = work(&mut wire, &mut codec, false);
            match done {
                Err(Failed::Lost(_)) if deadline.left().is_some() => again = true,
                done => return self.keep(wire, codec, done),
            }
        }
        let mut wire = Wire::connect(&self.place, self.tls.as_ref(), deadline)?;
        let mut codec = C::default();
        greet(&mut wire, &mut codec)?;
        let done = work(&mut wire, &mut codec, again);
        self.keep(wire, codec, done)
    }

    fn keep<T>(&mut self, wire: Wire, codec: C, done: Result<T, Failed>) -> Result<T, Failed> {
        if done.as_ref().err().is_none_or(Failed::leaves_connection) {
            self.open = Some((wire, codec));
        }
        done
    }
}
