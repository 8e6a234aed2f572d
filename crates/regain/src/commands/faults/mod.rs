//! `faults`: the catalogue.

mod list;

use crate::args::rescue::Faults;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) fn run(faults: Faults, context: &Context) -> Result<Answer, Failure> {
    match faults {
        Faults::List { layer, faults } => list::run(layer.as_deref(), &faults, context),
    }
}
