//! `cloud`: which clouds there are, and which one is asked.

mod register;

use serde_json::{Value, json};

use crate::args::cloud::Cloud;
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::LabState;
use crate::output::Answer;
use crate::session::Clouds;

pub(super) async fn run(cloud: Cloud, context: &Context) -> Result<Answer, Failure> {
    let mut clouds = Clouds::read(&LabState::of(&context.global))?;
    match cloud {
        Cloud::List => Ok(Answer::new(Value::Array(clouds.all())).with_columns(columns)),
        Cloud::Show(args) => {
            let name = args.name.as_deref().unwrap_or_else(|| clouds.active());
            Ok(Answer::new(clouds.find(name)?).with_columns(columns))
        }
        Cloud::Set(args) => {
            let before = clouds.active().to_owned();
            clouds.choose(&args.name)?;
            if before != clouds.active() {
                context
                    .printer
                    .note(&format!("Switched active cloud to '{}'.", clouds.active()));
            }
            Ok(Answer::done())
        }
        Cloud::Register(args) => {
            clouds.add(register::document(*args).await?)?;
            Ok(Answer::done())
        }
        Cloud::Unregister(args) => {
            clouds.remove(&args.name)?;
            Ok(Answer::done())
        }
    }
}

/// az's columns: what is left of a cloud where nested values are not shown.
fn columns(clouds: &Value) -> Value {
    let row = |cloud: &Value| {
        json!({
            "IsActive": cloud["isActive"],
            "Name": cloud["name"],
            "Profile": cloud["profile"],
        })
    };
    match clouds {
        Value::Array(clouds) => clouds.iter().map(row).collect(),
        cloud => row(cloud),
    }
}
