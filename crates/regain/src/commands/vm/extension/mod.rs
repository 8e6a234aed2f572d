//! `vm extension`: extensions of a VM.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod set;
pub(super) mod show;

use arm::ResourceId;

use crate::args::vm::ListExtensions;
use crate::failure::Failure;
use crate::session::Session;

fn id(session: &Session, vm: &ListExtensions, name: &str) -> Result<ResourceId, Failure> {
    session.vm(&vm.group, &vm.vm_name)?.with_child("extensions", name).map_err(|_| {
        Failure::usage(format!("'{name}' cannot be the name of an extension"))
    })
}
