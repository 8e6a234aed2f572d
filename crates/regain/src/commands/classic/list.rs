//! `classic vm list`

use super::{context_of, vm_run};
use crate::args::classic::List;
use crate::args::vm::{self, Vm};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Table};

pub(super) async fn run(args: List, context: &Context) -> Result<Answer, Failure> {
    let context = context_of(&args.common, context);
    let group = args.group.or(args.resource_group);
    let list = vm::List { group, show_details: false };
    let answer = vm_run(Vm::List(list), &context).await?;
    let rows: Vec<[String; 5]> = answer
        .document()
        .as_array()
        .into_iter()
        .flatten()
        .map(|vm| {
            let text =
                |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            [
                text(&vm["resourceGroup"]),
                text(&vm["name"]),
                text(&vm["provisioningState"]),
                text(&vm["location"]),
                text(&vm["hardwareProfile"]["vmSize"]),
            ]
        })
        .collect();
    let headers = ["ResourceGroupName", "Name", "ProvisioningState", "Location", "Size"];
    let table = Table::new(headers, rows).to_string();
    let data: String = table.lines().map(|line| format!("data:    {line}\n")).collect();
    Ok(answer.with_text(format!(
        "info:    Executing command vm list\n{data}info:    vm list command OK\n"
    )))
}
