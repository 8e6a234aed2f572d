//! Sizes: Azure's names and figures. Here they are names only, because all machines
//! share the host; but a name that Azure does not have is refused as in Azure.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::document::{listed, text};
use crate::app::resources::resource_group;
use crate::app::{Answer, App, Call, Problem};

/// What a machine gets that says nothing.
pub(super) const USUAL: &str = "Standard_DS1_v2";

/// Sizes whose names follow a rule: series, numbers of cores, what can follow the
/// number, memory per core in MiB.
const SERIES: [(&str, &[u32], &[&str], u32); 6] = [
    (
        "D",
        &[2, 4, 8, 16, 32, 48, 64],
        &[
            "_v3", "s_v3", "_v4", "s_v4", "d_v4", "ds_v4", "a_v4", "as_v4", "_v5",
            "s_v5", "d_v5", "ds_v5", "as_v5", "ads_v5", "s_v6", "ds_v6", "as_v6",
            "ads_v6",
        ],
        4096,
    ),
    ("D", &[2, 4, 8, 16, 32, 48, 64], &["ls_v5", "lds_v5", "ls_v6", "lds_v6"], 2048),
    (
        "E",
        &[2, 4, 8, 16, 20, 32, 48, 64],
        &[
            "_v3", "s_v3", "_v4", "s_v4", "ds_v4", "as_v4", "_v5", "s_v5", "d_v5",
            "ds_v5", "as_v5", "ads_v5", "s_v6", "ds_v6", "as_v6", "ads_v6",
        ],
        8192,
    ),
    ("F", &[2, 4, 8, 16, 32, 48, 64, 72], &["s_v2"], 2048),
    ("B", &[2, 4, 8, 16, 32], &["s_v2", "as_v2"], 4096),
    ("B", &[2, 4, 8, 16, 32], &["ls_v2", "als_v2"], 2048),
];

/// The older ones: name without `Standard_`, cores, memory in MiB.
const OLDER: [(&str, u32, u32); 40] = [
    ("A1_v2", 1, 2048),
    ("A2_v2", 2, 4096),
    ("A4_v2", 4, 8192),
    ("A8_v2", 8, 16384),
    ("A1", 1, 1792),
    ("A2", 2, 3584),
    ("A3", 4, 7168),
    ("A4", 8, 14336),
    ("B1ls", 1, 512),
    ("B1s", 1, 1024),
    ("B1ms", 1, 2048),
    ("B2s", 2, 4096),
    ("B2ms", 2, 8192),
    ("B4ms", 4, 16384),
    ("B8ms", 8, 32768),
    ("B2ts_v2", 2, 1024),
    ("B2ats_v2", 2, 1024),
    ("D1", 1, 3584),
    ("D2", 2, 7168),
    ("D3", 4, 14336),
    ("D4", 8, 28672),
    ("DS1", 1, 3584),
    ("DS2", 2, 7168),
    ("DS3", 4, 14336),
    ("DS4", 8, 28672),
    ("D1_v2", 1, 3584),
    ("D2_v2", 2, 7168),
    ("D3_v2", 4, 14336),
    ("D4_v2", 8, 28672),
    ("D5_v2", 16, 57344),
    ("D11_v2", 2, 14336),
    ("D12_v2", 4, 28672),
    ("DS1_v2", 1, 3584),
    ("DS2_v2", 2, 7168),
    ("DS3_v2", 4, 14336),
    ("DS4_v2", 8, 28672),
    ("DS5_v2", 16, 57344),
    ("DS11_v2", 2, 14336),
    ("DS12_v2", 4, 28672),
    ("DS13_v2", 8, 57344),
];

/// One size.
struct Size {
    name: String,
    family: String,
    cores: u32,
    /// In MiB.
    memory: u32,
}

/// `GET …/locations/{location}/vmSizes`, and those that a machine can change to
pub(crate) async fn list(_app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(listed(all().map(|size| {
        json!({
            "name": size.name,
            "numberOfCores": size.cores,
            "memoryInMB": size.memory,
            "maxDataDiskCount": 0,
            "osDiskSizeInMB": 1_047_552,
            "resourceDiskSizeInMB": 30720,
        })
    }))))
}

/// `GET …/virtualMachines/{vm}/vmSizes`
pub(crate) async fn list_for_machine(
    app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    app.existing(&call.id).await?;
    list(app, call).await
}

/// `GET …/providers/Microsoft.Compute/skus`: sizes as things that can be had, in every
/// location that has a group.
pub(crate) async fn skus(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let groups = app.store.list(&call.id, resource_group::KIND).await?;
    let mut locations: BTreeSet<&str> =
        groups.iter().filter_map(|group| text(&group.document, "/location")).collect();
    locations.insert("local");
    let capability = |name: &str, value: String| json!({ "name": name, "value": value });
    Ok(Answer::Found(listed(all().map(|size| {
        json!({
            "resourceType": "virtualMachines",
            "name": size.name,
            "tier": "Standard",
            "size": size.name.trim_start_matches("Standard_"),
            "family": size.family,
            "locations": locations,
            "locationInfo": locations
                .iter()
                .map(|one| json!({ "location": one, "zones": [], "zoneDetails": [] }))
                .collect::<Vec<_>>(),
            "capabilities": [
                capability("vCPUs", size.cores.to_string()),
                capability("MemoryGB", (size.memory / 1024).max(1).to_string()),
                capability("MaxDataDiskCount", "0".to_owned()),
                capability("CpuArchitectureType", "x64".to_owned()),
                capability("HyperVGenerations", "V1,V2".to_owned()),
            ],
            "restrictions": [],
        })
    }))))
}

/// Refuses a size that Azure does not have.
pub(super) fn check(properties: &Value) -> Result<(), Problem> {
    let asked = match &properties["hardwareProfile"]["vmSize"] {
        Value::Null => return Ok(()),
        Value::String(asked) => asked,
        _ => return Err(Problem::parameter("vmSize", "vmSize must be a string.")),
    };
    if all().any(|size| size.name.eq_ignore_ascii_case(asked)) {
        return Ok(());
    }
    Err(Problem::parameter(
        "vmSize",
        format!(
            "The value {asked} provided for the VM size is not valid. Sizes are, among others, \
             Standard_B1s, {USUAL}, Standard_D2s_v5 and Standard_E2s_v5; `az vm list-sizes` has \
             all of them."
        ),
    ))
}

fn all() -> impl Iterator<Item = Size> {
    let older = OLDER.iter().map(|(name, cores, memory)| Size {
        name: format!("Standard_{name}"),
        family: family(name.trim_end_matches("_v2"), name),
        cores: *cores,
        memory: *memory,
    });
    let series = SERIES.iter().flat_map(|(series, cores, endings, each)| {
        endings.iter().flat_map(move |ending| {
            cores.iter().map(move |cores| Size {
                name: format!("Standard_{series}{cores}{ending}"),
                family: family(series, ending),
                cores: *cores,
                memory: cores * each,
            })
        })
    });
    older.chain(series)
}

/// As in `standardDSv5Family`.
fn family(series: &str, ending: &str) -> String {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphabetic).collect::<String>()
    };
    let (kind, version) = ending.split_once("_v").unwrap_or((ending, ""));
    let kind = if kind.starts_with(char::is_uppercase) { "" } else { kind };
    let version = if version.is_empty() { String::new() } else { format!("v{version}") };
    format!("standard{}{}{version}Family", letters(series), kind.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_size_is_refused_with_those_that_there_are() {
        let of = |size: &str| json!({ "hardwareProfile": { "vmSize": size } });
        for known in ["Standard_DS1_v2", "standard_d2s_v5", "Standard_B1s", USUAL] {
            check(&of(known)).unwrap();
        }
        check(&json!({})).unwrap();
        let refused = check(&of("Standard_Nope")).unwrap_err().to_string();
        assert!(refused.contains("Standard_Nope"), "{refused}");
        assert!(refused.contains("Standard_D2s_v5"), "{refused}");
    }

    #[test]
    fn a_family_is_named_as_azure_names_it() {
        assert_eq!(family("D", "s_v5"), "standardDSv5Family");
        assert_eq!(family("DS1", "DS1_v2"), "standardDSv2Family");
    }
}
