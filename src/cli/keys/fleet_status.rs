//! `keys status --fleet`: the fleet's page, document, metrics or timeline.

use std::collections::BTreeMap;

use super::args::{KeyArguments, SortOrder, StatusArguments, StatusFormat, TimelineForm};
use super::fleet;
use crate::app::AppError;
use crate::app::keys::{
    Check, FleetError, Grade, Overview, fleet as app_fleet, fleet_doctor, fleet_status,
};
use crate::cli::hints::{self, Said};
use crate::cli::terminal::Terminal;
use crate::cli::{CLEAN, FOUND};
use crate::report;

pub(super) fn status(arguments: &StatusArguments, terminal: &Terminal) -> Result<u8, Said> {
    let settings = fleet::FleetArguments {
        config: arguments.keys.config.clone(),
        isolated: arguments.keys.isolated,
    };
    let wish = fleet::wish(&settings, &fleet::places(terminal))?;
    let overview = fleet_status(&wish).map_err(hints::said)?;
    let worst_first = arguments.sort == SortOrder::Worst;
    let text = match arguments.format {
        _ if arguments.timeline.is_some() => drawn(arguments, &overview, terminal),
        StatusFormat::Text => {
            let page = report::FleetPage {
                all: arguments.all,
                worst_first,
            };
            report::fleet_status_text(&overview, page, terminal.paint(None))
        }
        StatusFormat::Json => report::fleet_status_json(&overview, worst_first),
        StatusFormat::Prometheus => report::fleet_metrics(&overview),
    };
    let written = terminal.report(text.as_bytes(), None);
    let found = if overview.is_fine() { CLEAN } else { FOUND };
    Ok(written.max(found))
}

fn drawn(arguments: &StatusArguments, overview: &Overview, terminal: &Terminal) -> String {
    let picture = report::Picture {
        subject: &format!("TLS ticket keys of the fleet {}", overview.fleet),
        timeline: &overview.timeline,
        hosts: &BTreeMap::new(),
    };
    match arguments.timeline {
        Some(TimelineForm::Svg) => report::timeline_svg(&picture),
        _ => report::timeline_text(&picture, arguments.width, terminal.paint(None)),
    }
}

/// Rows of the doctor; none where the settings have no fleet.
pub(super) fn checks(arguments: &KeyArguments, terminal: &Terminal) -> Vec<Check> {
    let settings = fleet::FleetArguments {
        config: arguments.config.clone(),
        isolated: arguments.isolated,
    };
    let places = fleet::places(terminal);
    let lookup = fleet::lookup(&settings);
    match app_fleet(&lookup, &places) {
        Ok(wish) => fleet_doctor(&wish, &places),
        Err(AppError::Fleet(FleetError::Missing { key: "store", .. })) => Vec::new(),
        Err(why) => vec![Check::new("fleet", Grade::Error, why.to_string())],
    }
}
