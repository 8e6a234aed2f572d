//! `lab weather [WORDS]`

use serde_json::json;

use crate::args::lab::Weather;
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{LabState, weather};
use crate::output::Answer;

pub(super) fn run(args: &Weather, context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    if lab.server()?.is_none() {
        return Err(lab.is_down());
    }
    if let Some(wanted) = args.words {
        weather::make(&lab, wanted)?;
    }
    let words = weather::of(&lab)?.to_string();
    Ok(Answer::new(json!({ "weather": words })).with_text(format!("{words}\n")))
}
