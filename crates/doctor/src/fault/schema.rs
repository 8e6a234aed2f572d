//! The TOML of a fault's file, and what can be wrong with it.
//!
//! The structures mirror the file word for word and refuse unknown fields, so
//! that a misspelled `explians` is an error and not a rule that silently does
//! less. Everything that TOML can not check (names, expressions, fields that
//! belong to one channel only) is checked in [`Fault::parse`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{
    Confidence, Expression, ExpressionError, Fault, Inject, Layer, Place,
    PossibleSymptom, Repair, RepairAction,
};
use crate::lang::Text;
use crate::risk::Risk;
use crate::step::{ArmAction, Channel};
use crate::symptom::UnknownSymptom;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    id: String,
    layer: Layer,
    symptoms: Vec<String>,
    // What a rule reads, its expression says.
    #[serde(default, rename = "needs")]
    _needs: IgnoredAny,
    #[serde(default, rename = "needs_any")]
    _needs_any: IgnoredAny,
    when: String,
    confidence: Confidence,
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
struct RepairTable {
    id: String,
    title: Text,
    risk: Risk,
    channel: Channel,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    script: Option<String>,
    #[serde(default)]
    action: Option<ArmAction>,
    #[serde(default)]
    command: Option<String>,
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

/// What is wrong with one fault's file.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// It is not TOML, or has a field too many or too few.
    #[error("{file} is not a fault's file")]
    Toml {
        /// The file.
        file: String,
        /// What TOML's reader says, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An expression does not compile.
    #[error("{file}: {field}")]
    Expression {
        /// The file.
        file: String,
        /// The field, with the repair's name where it belongs to one.
        field: String,
        /// The expression and what is wrong with it.
        #[source]
        source: ExpressionError,
    },
    /// A symptom does not exist.
    #[error("{file}: symptoms")]
    Symptom {
        /// The file.
        file: String,
        /// The word.
        #[source]
        source: UnknownSymptom,
    },
    /// A field has a value that makes no sense there.
    #[error("{file}: {field}: {problem}")]
    Field {
        /// The file.
        file: String,
        /// The field, with the repair's name where it belongs to one.
        field: String,
        /// What is wrong, in one sentence.
        problem: String,
    },
}

/// One file being read: knows its name, for errors.
struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, field: impl Into<String>, problem: impl Into<String>) -> FaultError {
        FaultError::Field {
            file: self.file.to_owned(),
            field: field.into(),
            problem: problem.into(),
        }
    }

    fn expression(&self, field: &str, source: &str) -> Result<Expression, FaultError> {
        Expression::compile(source).map_err(|source| FaultError::Expression {
            file: self.file.to_owned(),
            field: field.to_owned(),
            source,
        })
    }

    /// `auth.denied`, or `auth.denied if CONDITION`.
    fn symptom(&self, text: &str) -> Result<PossibleSymptom, FaultError> {
        let (name, condition) = match text.split_once(" if ") {
            Some((name, condition)) => (name, Some(condition)),
            None => (text, None),
        };
        Ok(PossibleSymptom {
            symptom: name.trim().parse().map_err(|source| FaultError::Symptom {
                file: self.file.to_owned(),
                source,
            })?,
            only_if: condition.map(|c| self.expression("symptoms", c)).transpose()?,
        })
    }

    fn repair(&self, table: RepairTable) -> Result<Repair, FaultError> {
        let field = |name: &str| format!("repair `{}`: {name}", table.id);
        let misplaced = match table.channel {
            Channel::Guest => table.action.is_some() || table.command.is_some(),
            Channel::Arm => {
                table.script.is_some() || table.command.is_some() || !table.env.is_empty()
            }
            Channel::Client => {
                table.script.is_some() || table.action.is_some() || !table.env.is_empty()
            }
        };
        if misplaced {
            return Err(self.refuse(
                field("channel"),
                "guest takes script and env, arm takes action, client takes command",
            ));
        }
        let missing = |name: &str| self.refuse(field(name), "is needed for this channel");
        let action = match table.channel {
            Channel::Guest => RepairAction::Guest {
                script: table.script.ok_or_else(|| missing("script"))?,
                env: table
                    .env
                    .into_iter()
                    .map(|(name, source)| {
                        let value = self.expression(&format!("env {name}"), &source)?;
                        Ok((name, value))
                    })
                    .collect::<Result<_, FaultError>>()?,
            },
            Channel::Arm => {
                RepairAction::Arm(table.action.ok_or_else(|| missing("action"))?)
            }
            Channel::Client => {
                let source = table.command.ok_or_else(|| missing("command"))?;
                RepairAction::Client(
                    self.expression(&format!("repair `{}`: command", table.id), &source)?,
                )
            }
        };
        let when = table
            .when
            .map(|source| {
                self.expression(&format!("repair `{}`: when", table.id), &source)
            })
            .transpose()?;
        Ok(Repair { id: table.id, title: table.title, risk: table.risk, action, when })
    }
}

impl Fault {
    /// Reads one fault's file. `file` is its name, for errors only.
    pub fn parse(file: &str, text: &str) -> Result<Self, FaultError> {
        let reader = Reader { file };
        let table: FaultFile = toml::from_str(text).map_err(|source| {
            FaultError::Toml { file: file.to_owned(), source: Box::new(source) }
        })?;
        let prefix = table.layer.prefix();
        if table.id.strip_prefix(prefix).is_none_or(|rest| !rest.starts_with('.')) {
            return Err(reader.refuse(
                "id",
                format!("the ids of layer `{}` begin with `{prefix}.`", table.layer),
            ));
        }
        if table.symptoms.is_empty() {
            return Err(reader.refuse("symptoms", "a fault needs at least one"));
        }
        if table.evidence.is_empty() {
            return Err(reader.refuse("evidence", "a finding must show something"));
        }
        let mut repairs: Vec<Repair> = table
            .repairs
            .into_iter()
            .map(|repair| reader.repair(repair))
            .collect::<Result<_, _>>()?;
        // A stable sort: among equals the file's order stands.
        repairs.sort_by_key(|repair| repair.risk);
        let inject = table.inject.map(|inject| Inject {
            place: inject.r#where,
            script: inject.script,
            host: inject.host,
            repairable: inject.repairable.unwrap_or_else(|| {
                repairs
                    .iter()
                    .any(|repair| !matches!(repair.action, RepairAction::Client(_)))
            }),
        });
        Ok(Self {
            symptoms: table
                .symptoms
                .iter()
                .map(|text| reader.symptom(text))
                .collect::<Result<_, _>>()?,
            when: reader.expression("when", &table.when)?,
            evidence: table
                .evidence
                .iter()
                .map(|source| reader.expression("evidence", source))
                .collect::<Result<_, _>>()?,
            id: table.id,
            layer: table.layer,
            confidence: table.confidence,
            explains: table.explains,
            references: table.references,
            title: table.title,
            explanation: table.explanation,
            repairs,
            inject,
            not_injected: table.not_injected,
        })
    }
}
