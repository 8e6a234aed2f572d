//! States of the world: what faults bring about, and what a login meets there.
//!
//! `faults/states.toml` declares each of them once, in the order of the way in: a
//! login meets the first before the second. A fault says which states it produces
//! and leaves to the state how it is seen and which symptoms it shows, so that
//! twelve reasons for an SSH server that is not there share one description of its
//! absence.

use serde::Deserialize;

use super::reader::{DoubtTable, Reader};
use super::{Doubt, Expression, FaultError, PossibleSymptom};
use crate::lang::Text;
use crate::step::PlatformAction;

/// A state of the world that stops a login.
#[derive(Debug)]
pub struct State {
    /// Its name, as in `sshd-absent`.
    pub id: String,
    /// What it is, in one line.
    pub title: Text,
    /// Its place on the way in: lower is nearer to the client.
    pub place: usize,
    /// How a login ends that meets it.
    pub shows: Vec<PossibleSymptom>,
    /// How it is seen; nothing if only its cause can be seen.
    pub holds: Option<Expression>,
    /// What shows that it is not there.
    pub refuted_by: Option<Expression>,
    /// What speaks against it without refuting it.
    pub doubts: Vec<Doubt>,
    /// The platform's general remedies that could end it.
    pub remedies: Vec<PlatformAction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatesFile {
    #[serde(rename = "state")]
    states: Vec<StateTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateTable {
    id: String,
    title: Text,
    shows: Vec<String>,
    #[serde(default)]
    holds: Option<String>,
    #[serde(default)]
    refuted_by: Option<String>,
    #[serde(default)]
    doubts: Vec<DoubtTable>,
    #[serde(default)]
    remedies: Vec<PlatformAction>,
}

impl State {
    /// Reads a file of states; `first` is the place of its first one.
    pub(crate) fn parse_all(
        file: &str,
        text: &str,
        first: usize,
    ) -> Result<Vec<Self>, FaultError> {
        let reader = Reader { file };
        let table: StatesFile = reader.toml(text)?;
        let tables = table.states.into_iter().zip(first..);
        tables.map(|(table, place)| state(reader, table, place)).collect()
    }
}

fn state(reader: Reader, table: StateTable, place: usize) -> Result<State, FaultError> {
    let field = |name: &str| format!("state `{}`: {name}", table.id);
    if table.shows.is_empty() {
        return Err(reader.refuse(field("shows"), "a state needs at least one symptom"));
    }
    let shows = table.shows.iter().map(|text| shown(reader, &field("shows"), text));
    Ok(State {
        place,
        shows: shows.collect::<Result<_, _>>()?,
        holds: reader.optional(&field("holds"), table.holds.as_ref())?,
        refuted_by: reader.optional(&field("refuted_by"), table.refuted_by.as_ref())?,
        doubts: reader.doubts(&field("doubts"), table.doubts)?,
        remedies: table.remedies,
        id: table.id,
        title: table.title,
    })
}

/// `auth.denied`, or `auth.denied if CONDITION`.
fn shown(reader: Reader, field: &str, text: &str) -> Result<PossibleSymptom, FaultError> {
    let (name, condition) = match text.split_once(" if ") {
        Some((name, condition)) => (name, Some(condition.to_owned())),
        None => (text, None),
    };
    Ok(PossibleSymptom {
        symptom: name.trim().parse().map_err(|source| FaultError::Symptom {
            file: reader.file.to_owned(),
            field: field.to_owned(),
            source,
        })?,
        only_if: reader.optional(field, condition.as_ref())?,
    })
}
