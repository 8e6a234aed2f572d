//! Application security groups: names for machines. A group is only a name; its
//! members are the IP configurations that refer to it.

use crate::app::document::drop_property;
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/applicationsecuritygroups";

/// A group has no properties of its own.
pub(super) fn judge(draft: &mut Resource) {
    for derived in ["resourceGuid", "provisioningState"] {
        drop_property(&mut draft.document, derived);
    }
}
