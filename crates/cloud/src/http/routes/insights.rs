//! Microsoft.Insights: the activity log.

use super::super::table::Table;
use super::super::table::verb::GET;
use super::everywhere;
use crate::app::activity;

pub(super) fn add(t: &mut Table) {
    t.at(&everywhere("microsoft.insights/eventtypes/management/values"))
        .on(GET, activity::list);
    t.at(&everywhere("microsoft.insights/eventcategories")).on(GET, activity::categories);
}
