//! The commands of a fleet: the generator, the roster, and who belongs to it. Judges nothing by
//! itself.

mod args;
mod generate;
mod roster;

pub(super) use args::{
    EnrollArguments, FleetArguments, GenerateArguments, InitFleetArguments, RevokeArguments,
};
pub(super) use generate::{generate, unit};
pub(super) use roster::{enroll, init, revoke, rotate_now};

use crate::app::Lookup;
use crate::app::keys::{FleetWish, Places, fleet};
use crate::cli::hints::{self, Said};
use crate::cli::terminal::Terminal;

/// The fleet of the settings.
pub(super) fn wish(arguments: &FleetArguments, places: &Places) -> Result<FleetWish, Said> {
    fleet(&lookup(arguments), places).map_err(hints::said)
}

/// Which settings are taken.
pub(super) fn lookup(arguments: &FleetArguments) -> Lookup {
    Lookup {
        config: arguments.config.clone(),
        isolated: arguments.isolated,
        ..Lookup::default()
    }
}

/// Where private keys may be beside files.
pub(super) fn places(terminal: &Terminal) -> Places {
    Places {
        credentials: terminal.place("CREDENTIALS_DIRECTORY"),
        agent: terminal.place("SSH_AUTH_SOCK"),
    }
}
