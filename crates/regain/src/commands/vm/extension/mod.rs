//! `vm extension`: extensions of a VM.

mod delete;
mod image;
mod list;
pub(super) mod set;
mod show;
mod wait;

use arm::ResourceId;
use serde_json::{Map, Value};

use crate::args::vm::{Extension, ExtensionImage, NamedExtension};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

pub(super) async fn run(
    extension: Extension,
    context: &Context,
) -> Result<Answer, Failure> {
    match extension {
        Extension::Set(args) => set::run(args, context).await,
        Extension::List(args) => list::run(args, context).await,
        Extension::Show(args) => show::run(args, context).await,
        Extension::Delete(args) => delete::run(args, context).await,
        Extension::Wait(args) => wait::run(args, context).await,
        Extension::Image(ExtensionImage::List(args)) => image::run(args, context).await,
    }
}

/// The id of a VM's extension.
pub(super) fn child(vm: &ResourceId, name: &str) -> Result<ResourceId, Failure> {
    vm.with_child("extensions", name).map_err(|_| {
        Failure::usage(format!("'{name}' cannot be the name of an extension"))
    })
}

/// A VM has one handler of a type: the name of the extension that has it.
pub(super) fn instance_name<'a>(
    vm: &'a Value,
    publisher: &str,
    kind: &str,
) -> Option<&'a str> {
    let handler = format!("{publisher}.{kind}");
    vm["properties"]["instanceView"]["extensions"].as_array()?.iter().find(
        |extension| {
            extension["type"]
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case(&handler))
        },
    )?["name"]
        .as_str()
}

/// Extensions as they were named, read and not yet looked for.
enum Chosen<'a> {
    Named { group: &'a str, vm: &'a str, name: &'a str },
    Ids(Vec<ResourceId>),
}

impl Chosen<'_> {
    fn of(self, session: &Session) -> Result<Vec<ResourceId>, Failure> {
        match self {
            Self::Named { group, vm, name } => {
                Ok(vec![child(&session.vm(group, vm)?, name)?])
            }
            Self::Ids(ids) => Ok(ids),
        }
    }
}

fn read(named: &NamedExtension) -> Result<Chosen<'_>, Failure> {
    if let (Some(group), Some(vm), Some(name)) =
        (&named.group, &named.vm_name, &named.name)
    {
        return Ok(Chosen::Named { group, vm, name });
    }
    let read = |text: &String| {
        let id =
            ResourceId::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
        if id.is_type("Microsoft.Compute/virtualMachines/extensions") {
            Ok(id)
        } else {
            Err(Failure::usage(format!("'{text}' is not the id of a VM's extension")))
        }
    };
    named.ids.iter().map(read).collect::<Result<_, _>>().map(Chosen::Ids)
}

/// az's columns for extensions.
fn columns(extensions: &Value) -> Value {
    let row = |extension: &Value| {
        let pairs = [
            ("Name", "name"),
            ("ProvisioningState", "provisioningState"),
            ("Publisher", "publisher"),
            ("Version", "typeHandlerVersion"),
            ("AutoUpgradeMinorVersion", "autoUpgradeMinorVersion"),
        ];
        let cell =
            |(column, key): (&str, &str)| (column.to_owned(), extension[key].clone());
        Value::Object(Map::from_iter(pairs.map(cell)))
    };
    match extensions {
        Value::Array(extensions) => extensions.iter().map(row).collect(),
        extension => row(extension),
    }
}
