//! Microsoft.Compute: machines, their extensions, what they are made from.

use super::super::table::Table;
use super::super::table::verb::{DELETE, GET, PATCH, POST, PUT};
use super::{GROUP, everywhere};
use crate::app::compute::{
    boot_diagnostics, extension, image, instance_view, machine_size, power, run_command,
    virtual_machine,
};

pub(super) fn add(t: &mut Table) {
    let compute = &format!("{GROUP}/providers/microsoft.compute");
    let vm = &format!("{compute}/virtualmachines/{{vm}}");
    let location = &everywhere("microsoft.compute/locations/{location}");
    let publisher = &format!("{location}/publishers/{{publisher}}");
    let offer = &format!("{publisher}/artifacttypes/vmimage/offers/{{offer}}");
    let sku = &format!("{offer}/skus/{{sku}}");
    let kind = &format!("{publisher}/artifacttypes/vmextension/types/{{type}}");

    for all in [
        &everywhere("microsoft.compute/virtualmachines"),
        &format!("{compute}/virtualmachines"),
    ] {
        t.at(all).on(GET, virtual_machine::list);
    }
    t.at(vm)
        .on(GET, virtual_machine::get)
        .on(PUT, virtual_machine::put)
        .on(PATCH, virtual_machine::patch)
        .on(DELETE, virtual_machine::delete);
    t.at(&format!("{vm}/instanceview")).on(GET, instance_view::get);
    t.at(&format!("{vm}/start")).on(POST, power::start);
    t.at(&format!("{vm}/restart")).on(POST, power::restart);
    t.at(&format!("{vm}/poweroff")).on(POST, power::power_off);
    t.at(&format!("{vm}/deallocate")).on(POST, power::deallocate);
    t.at(&format!("{vm}/redeploy")).on(POST, power::redeploy);
    t.at(&format!("{vm}/reapply")).on(POST, power::reapply);
    t.at(&format!("{vm}/runcommand")).on(POST, run_command::post);
    t.at(&format!("{vm}/runcommands")).on(GET, run_command::list_managed);
    t.at(&format!("{vm}/runcommands/{{command}}"))
        .on(GET, run_command::managed)
        .on(PUT, run_command::managed)
        .on(PATCH, run_command::managed)
        .on(DELETE, run_command::managed);
    t.at(&format!("{vm}/retrievebootdiagnosticsdata")).on(POST, boot_diagnostics::post);
    t.at(&format!("{vm}/extensions")).on(GET, extension::list);
    t.at(&format!("{vm}/extensions/{{extension}}"))
        .on(GET, extension::get)
        .on(PUT, extension::put)
        .on(PATCH, extension::patch)
        .on(DELETE, extension::delete);

    t.at(&format!("{vm}/vmsizes")).on(GET, machine_size::list_for_machine);
    t.at(&format!("{location}/vmsizes")).on(GET, machine_size::list);
    t.at(&everywhere("microsoft.compute/skus")).on(GET, machine_size::skus);
    for all in [&everywhere("microsoft.compute/images"), &format!("{compute}/images")] {
        t.at(all).on(GET, image::list_custom);
    }
    t.at(&format!("{compute}/images/{{image}}")).on(GET, image::get_custom);
    t.at(&format!("{location}/runcommands")).on(GET, run_command::list);
    t.at(&format!("{location}/runcommands/{{command}}")).on(GET, run_command::get);
    t.at(&format!("{location}/publishers")).on(GET, image::publishers);
    t.at(&format!("{publisher}/artifacttypes/vmimage/offers")).on(GET, image::offers);
    t.at(&format!("{offer}/skus")).on(GET, image::skus);
    t.at(&format!("{sku}/versions")).on(GET, image::versions);
    t.at(&format!("{sku}/versions/{{version}}")).on(GET, image::version);
    t.at(&format!("{publisher}/artifacttypes/vmextension/types"))
        .on(GET, image::extension_types);
    t.at(&format!("{kind}/versions")).on(GET, image::extension_versions);
    t.at(&format!("{kind}/versions/{{version}}")).on(GET, image::extension_version);
}
