//! `vm get-instance-view`

use serde_json::{Value, json};

use super::{side_by_side, targets};
use crate::api::{self, VM};
use crate::args::vm::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(args: Target, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let answer = side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        async move { Ok(shape::vm(client.get(&api::with_instance_view(&vm, VM)).await?)) }
    });
    Ok(answer.await?.with_columns(columns))
}

/// az's columns; its query finds none in a list.
fn columns(vm: &Value) -> Value {
    if vm.is_array() {
        return Value::Null;
    }
    json!({
        "Name": vm["name"],
        "ResourceGroup": vm["resourceGroup"],
        "Location": vm["location"],
        "ProvisioningState": vm["provisioningState"],
        "PowerState": vm["instanceView"]["statuses"][1]["displayStatus"],
    })
}
