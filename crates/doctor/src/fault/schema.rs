//! The TOML of a fault's file, and what can be wrong with it.
//!
//! The structures mirror the file word for word and refuse unknown fields, so
//! that a misspelled `explians` is an error and not a rule that silently does
//! less. Everything that TOML can not check (names, expressions, fields that
//! belong to one kind of repair only) is checked in [`Fault::parse`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::reader::{DoubtTable, Reader};
use super::repair::{self, RepairTable};
use super::{
    Basis, Fault, FaultError, Inject, Layer, Place, Repair, RepairAction, State,
};
use crate::lang::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    id: String,
    layer: Layer,
    produces: Vec<String>,
    #[serde(default)]
    residual: bool,
    #[serde(default)]
    when: Option<String>,
    basis: Basis,
    #[serde(default)]
    doubts: Vec<DoubtTable>,
    #[serde(default)]
    explains: Vec<String>,
    evidence: Vec<String>,
    references: Vec<String>,
    title: Text,
    explanation: Text,
    #[serde(default, rename = "repair")]
    repairs: Vec<RepairTable>,
    #[serde(default)]
    inject: Option<InjectTable>,
    #[serde(default)]
    not_injected: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InjectTable {
    r#where: Place,
    script: String,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    repairable: Option<bool>,
}

/// What a fault's file may refer to.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// States, by their names.
    pub(crate) states: BTreeMap<String, Arc<State>>,
    /// Repairs that several faults need, by their names.
    pub(crate) repairs: BTreeMap<String, Repair>,
}

impl Fault {
    /// Reads one fault's file. `file` is its name, for errors only.
    pub(crate) fn parse(
        file: &str,
        text: &str,
        shared: &Shared,
    ) -> Result<Self, FaultError> {
        let reader = Reader { file };
        let table: FaultFile = reader.toml(text)?;
        check(reader, &table)?;
        let states = table.produces.iter().map(|id| {
            let state = shared.states.get(id).cloned();
            state.ok_or_else(|| {
                reader.refuse("produces", format!("there is no state `{id}`"))
            })
        });
        let states: Vec<Arc<State>> = states.collect::<Result<_, _>>()?;
        if table.when.is_none() && states.iter().any(|state| state.holds.is_none()) {
            let problem = "only what restates a state that can be seen needs no rule";
            return Err(reader.refuse("when", problem));
        }
        let repairs = repairs(reader, table.repairs, shared)?;
        Ok(Self {
            when: reader.optional("when", table.when.as_ref())?,
            doubts: reader.doubts("doubts", table.doubts)?,
            evidence: table
                .evidence
                .iter()
                .map(|source| reader.expression("evidence", source))
                .collect::<Result<_, _>>()?,
            inject: table.inject.map(|inject| of_table(inject, &repairs)),
            id: table.id,
            layer: table.layer,
            residual: table.residual,
            basis: table.basis,
            explains: table.explains,
            references: table.references,
            title: table.title,
            explanation: table.explanation,
            not_injected: table.not_injected,
            states,
            repairs,
        })
    }
}

fn check(reader: Reader, table: &FaultFile) -> Result<(), FaultError> {
    let prefix = table.layer.prefix();
    if table.id.strip_prefix(prefix).is_none_or(|rest| !rest.starts_with('.')) {
        let layer = table.layer;
        let problem = format!("the ids of layer `{layer}` begin with `{prefix}.`");
        return Err(reader.refuse("id", problem));
    }
    if table.produces.is_empty() {
        return Err(reader.refuse("produces", "a fault produces at least one state"));
    }
    if table.evidence.is_empty() {
        return Err(reader.refuse("evidence", "a finding must show something"));
    }
    Ok(())
}

fn repairs(
    reader: Reader,
    tables: Vec<RepairTable>,
    shared: &Shared,
) -> Result<Vec<Repair>, FaultError> {
    let mut repairs: Vec<Repair> = Vec::new();
    for table in tables {
        let repair = repair::read(reader, table, &|name| shared.repairs.get(name))?;
        let field = |name: &str| format!("repair `{}`: {name}", repair.id);
        if repair.is_open() {
            let problem = "only a repair of the shared file has parameters";
            return Err(reader.refuse(field("parameters"), problem));
        }
        if repairs.iter().any(|known| known.id == repair.id) {
            return Err(reader.refuse(field("id"), "another repair has this name"));
        }
        repairs.push(repair);
    }
    // A stable sort: among equals the file's order stands.
    repairs.sort_by_key(|repair| repair.risk);
    Ok(repairs)
}

fn of_table(inject: InjectTable, repairs: &[Repair]) -> Inject {
    let mut own = repairs.iter().map(|repair| &repair.action);
    Inject {
        place: inject.r#where,
        script: inject.script,
        host: inject.host,
        repairable: inject
            .repairable
            .unwrap_or_else(|| own.any(|one| !matches!(one, RepairAction::Client(_)))),
    }
}
