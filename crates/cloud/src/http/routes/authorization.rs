//! Microsoft.Authorization: roles, at every scope that they can be given at.

use super::super::table::Table;
use super::super::table::verb::{DELETE, GET, PUT};
use super::{GROUP, SUBSCRIPTION};
use crate::app::access::{role_assignment, role_definition};

pub(super) fn add(t: &mut Table) {
    let resource = format!("{GROUP}/providers/{{namespace}}/{{type}}/{{name}}");
    let child = format!("{resource}/{{child_type}}/{{child}}");
    for scope in [SUBSCRIPTION, GROUP, &resource, &child] {
        let here = format!("{scope}/providers/microsoft.authorization");
        t.at(&format!("{here}/roleassignments")).on(GET, role_assignment::list);
        t.at(&format!("{here}/roleassignments/{{assignment}}"))
            .on(GET, role_assignment::get)
            .on(PUT, role_assignment::put)
            .on(DELETE, role_assignment::delete);
        t.at(&format!("{here}/roledefinitions")).on(GET, role_definition::list);
        t.at(&format!("{here}/roledefinitions/{{role}}"))
            .on(GET, role_definition::get)
            .on(PUT, role_definition::put)
            .on(DELETE, role_definition::delete);
    }
}
