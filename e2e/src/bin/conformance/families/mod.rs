//! The families, one a file: what the issue names, as it is typed.

mod alike;
mod boot_diagnostics;
mod classic;
mod errors;
mod extension;
mod group;
mod lb;
mod login;
mod nsg;
mod own_words;
mod python;
mod rbac;
mod resource;
mod route;
mod run_command;
mod vm_create;
mod vm_life;
mod vm_user;
mod vnet;
mod watcher;

use crate::case::Family;

/// Every family, the slowest first.
pub(crate) fn all() -> Vec<Family> {
    vec![
        classic::family(),
        vm_life::family(),
        alike::machines(),
        alike::networks(),
        vm_create::family(),
        vm_user::family(),
        extension::family(),
        nsg::family(),
        vnet::family(),
        watcher::family(),
        lb::family(),
        rbac::family(),
        route::family(),
        python::family(),
        run_command::family(),
        boot_diagnostics::family(),
        resource::family(),
        own_words::family(),
        group::family(),
        errors::family(),
        login::family(),
    ]
}
