//! Microsoft.ResourceHealth: whether machines can be reached.

use super::super::table::Table;
use super::super::table::verb::GET;
use super::{GROUP, everywhere};
use crate::app::compute::health;

pub(super) fn add(t: &mut Table) {
    let provider = "providers/microsoft.resourcehealth/availabilitystatuses";
    let vm = &format!("{GROUP}/providers/microsoft.compute/virtualmachines/{{vm}}");

    for all in [
        &everywhere("microsoft.resourcehealth/availabilitystatuses"),
        &format!("{GROUP}/{provider}"),
    ] {
        t.at(all).on(GET, health::list_all);
    }
    t.at(&format!("{vm}/{provider}")).on(GET, health::list);
    t.at(&format!("{vm}/{provider}/{{status}}")).on(GET, health::get);
}
