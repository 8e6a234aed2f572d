//! `group list`

use serde_json::{Value, json};

use crate::api::{self, RESOURCES};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = api::below(&session.scope(None)?, "resourceGroups", RESOURCES);
    let groups = session.client.list(&path).await?;
    Ok(Answer::new(Value::Array(groups)).with_columns(columns))
}

fn columns(groups: &Value) -> Value {
    let row = |group: &Value| {
        json!({
            "Name": group["name"],
            "Location": group["location"],
            "Status": group["properties"]["provisioningState"],
        })
    };
    groups.as_array().into_iter().flatten().map(row).collect()
}
