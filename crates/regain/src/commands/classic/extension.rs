//! `classic vm extension set`

use super::words;
use crate::args::classic::SetExtension;
use crate::args::vm::{self, DeleteExtension, Extension, Host, NamedExtension, Vm};
use crate::context::Context;
use crate::failure::Failure;

/// The same in our words.
pub(super) fn said(args: &SetExtension) -> Result<Vm, Failure> {
    if args.uninstall {
        let [group, vm_name, name] = words(
            [
                ("resource-group", &args.resource_group),
                ("vm-name", &args.vm_name),
                ("name", &args.name),
            ],
            args.words.get(..3).unwrap_or(&args.words),
        )?;
        let extension = NamedExtension {
            group: Some(group),
            vm_name: Some(vm_name),
            name: Some(args.reference_name.clone().unwrap_or(name)),
            ids: Vec::new(),
        };
        let delete = DeleteExtension { extension, no_wait: false };
        return Ok(Vm::Extension(Extension::Delete(delete)));
    }
    let [group, vm_name, kind, publisher, version] = words(
        [
            ("resource-group", &args.resource_group),
            ("vm-name", &args.vm_name),
            ("name", &args.name),
            ("publisher-name", &args.publisher_name),
            ("version", &args.version),
        ],
        &args.words,
    )?;
    let file = |path: &Option<String>| path.as_ref().map(|path| format!("@{path}"));
    let set = vm::SetExtension {
        vm: Host { group: Some(group), vm_name: Some(vm_name), ids: Vec::new() },
        kind,
        publisher,
        version: Some(version),
        settings: args.public_config.clone().or_else(|| file(&args.public_config_path)),
        protected_settings: args
            .private_config
            .clone()
            .or_else(|| file(&args.private_config_path)),
        extension_instance_name: args.reference_name.clone(),
        no_auto_upgrade_minor_version: !args.auto_upgrade_minor_version,
        enable_auto_upgrade: None,
        force_update: args.force_update_tag.is_some(),
        no_wait: false,
    };
    Ok(Vm::Extension(Extension::Set(set)))
}

/// Asks before an extension is removed.
pub(super) fn confirm(args: &SetExtension, context: &Context) -> Result<(), Failure> {
    context.confirm("Uninstall the extension?", args.quiet || !args.uninstall)
}
