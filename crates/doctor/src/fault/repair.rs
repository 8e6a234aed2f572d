//! A repair as the files say it: verbs with expressions for their arguments.
//!
//! What several faults need stands once in `faults/repairs.toml`, under a name and
//! perhaps with parameters; a fault says `use = "NAME"` and `with = { ... }`. All of
//! it is checked when it is read: the verbs, the names of their arguments, and that
//! no step calls itself less risky than what it does. The values come with a case:
//! an argument that a case does not have, or that does not fit its verb, means that
//! the step is not offered.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Context;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::reader::Reader;
use super::{Expression, FaultError, Truth, is_variable};
use crate::edit::{Edit, VERBS};
use crate::lang::Text;
use crate::risk::Risk;
use crate::step::{Action, Channel, PlatformAction};

/// A step that repairs a fault, before the facts of a case are filled in.
#[derive(Debug, Clone)]
pub struct Repair {
    /// Its name, unique within the fault.
    pub id: String,
    /// What it does.
    pub title: Text,
    /// What it can cost.
    pub risk: Risk,
    /// What it does, as the files say it.
    pub action: RepairAction,
    /// The step is offered only if all of these hold.
    when: Vec<Arc<Expression>>,
    /// The parameters' names and values.
    with: Vec<(String, Arc<Expression>)>,
    /// Parameters that a fault has to give.
    parameters: Vec<String>,
}

/// What a [`Repair`] does.
#[derive(Debug, Clone)]
pub enum RepairAction {
    /// Typed edits in the guest.
    Guest(Arc<[EditTemplate]>),
    /// A request to the platform.
    Platform(PlatformAction),
    /// An expression that gives the line to type.
    Client(Arc<Expression>),
}

/// One edit before its arguments have values.
#[derive(Debug)]
pub struct EditTemplate {
    /// The verb.
    pub verb: &'static str,
    arguments: Vec<(String, Expression)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepairsFile {
    #[serde(rename = "repair")]
    repairs: Vec<RepairTable>,
}

/// A `[[repair]]`, in a fault's file or in the shared one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RepairTable {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    title: Option<Text>,
    #[serde(default)]
    risk: Option<Risk>,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    r#use: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, String>,
    #[serde(default)]
    edits: Option<Vec<BTreeMap<String, String>>>,
    #[serde(default)]
    action: Option<PlatformAction>,
    #[serde(default)]
    command: Option<String>,
}

impl RepairAction {
    /// The way that the step takes.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Guest(_) => Channel::Guest,
            Self::Platform(_) => Channel::Platform,
            Self::Client(_) => Channel::Client,
        }
    }

    /// The verbs that it uses.
    pub fn verbs(&self) -> impl Iterator<Item = &'static str> {
        let edits: &[EditTemplate] = match self {
            Self::Guest(edits) => edits,
            Self::Platform(_) | Self::Client(_) => &[],
        };
        edits.iter().map(|edit| edit.verb)
    }

    /// What it can cost at least.
    fn least_risk(&self) -> Risk {
        match self {
            Self::Platform(action) => action.least_risk(),
            Self::Client(_) | Self::Guest(_) => self
                .verbs()
                .filter_map(|verb| VERBS.iter().find(|(name, ..)| *name == verb))
                .map(|(.., risk)| *risk)
                .max()
                .unwrap_or(Risk::None),
        }
    }
}

impl Repair {
    /// Reads the file of shared repairs.
    pub(crate) fn parse_all(file: &str, text: &str) -> Result<Vec<Self>, FaultError> {
        let reader = Reader { file };
        let table: RepairsFile = reader.toml(text)?;
        table.repairs.into_iter().map(|table| read(reader, table, &|_| None)).collect()
    }

    /// Whether it has parameters without values.
    pub(super) fn is_open(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// What it does in this case; nothing if it does not apply here or needs a fact
    /// that the case does not have.
    pub(crate) fn fill_in(&self, context: &Context<'_, '_>) -> Option<Action> {
        let mut scope = context.new_inner_scope();
        for (name, value) in &self.with {
            let value = value.value(&scope)?;
            scope.add_variable_from_value(name.as_str(), value);
        }
        if self.when.iter().any(|when| when.truth(&scope) != Truth::Yes) {
            return None;
        }
        Some(match &self.action {
            RepairAction::Client(command) => {
                Action::Client { command: command.text(&scope)? }
            }
            RepairAction::Platform(action) => Action::Platform { action: *action },
            RepairAction::Guest(edits) => Action::Guest {
                edits: edits
                    .iter()
                    .map(|edit| edit.fill_in(&scope))
                    .collect::<Option<_>>()?,
            },
        })
    }
}

impl EditTemplate {
    fn fill_in(&self, scope: &Context<'_, '_>) -> Option<Edit> {
        let mut document = Map::new();
        document.insert("verb".to_owned(), Value::from(self.verb));
        for (name, expression) in &self.arguments {
            document.insert(name.clone(), expression.json(scope)?);
        }
        serde_json::from_value(Value::Object(document)).ok()
    }
}

/// Reads one table. `shared` gives a shared repair by its name.
pub(super) fn read<'a>(
    reader: Reader,
    table: RepairTable,
    shared: &dyn Fn(&str) -> Option<&'a Repair>,
) -> Result<Repair, FaultError> {
    let name = table.id.as_ref().or(table.r#use.as_ref());
    let Some(id) = name.cloned() else {
        return Err(reader.refuse("repair: id", "a repair needs a name"));
    };
    let field = |name: &str| format!("repair `{id}`: {name}");
    let one = [
        table.r#use.is_some(),
        table.edits.is_some(),
        table.action.is_some(),
        table.command.is_some(),
    ];
    if one.into_iter().filter(|is| *is).count() != 1 {
        let problem = "exactly one of use, edits, action and command says what it does";
        return Err(reader.refuse(field("edits"), problem));
    }
    let when = reader.optional(&field("when"), table.when.as_ref())?.map(Arc::new);
    if let Some(name) = &table.r#use {
        let shared = shared(name).ok_or_else(|| {
            reader.refuse(field("use"), format!("there is no repair `{name}`"))
        })?;
        let with = bind(reader, &field("with"), shared, table.with)?;
        let repair = Repair {
            title: table.title.unwrap_or_else(|| shared.title.clone()),
            risk: table.risk.unwrap_or(shared.risk),
            when: shared.when.iter().cloned().chain(when).collect(),
            action: shared.action.clone(),
            parameters: Vec::new(),
            with,
            id: id.clone(),
        };
        return floored(reader, &field("risk"), repair);
    }
    if !table.with.is_empty() {
        return Err(reader.refuse(field("with"), "only a shared repair has parameters"));
    }
    if let Some(taken) = table.parameters.iter().find(|name| is_variable(name)) {
        let problem = format!("`{taken}` is a variable of every rule");
        return Err(reader.refuse(field("parameters"), problem));
    }
    let action = if let Some(edits) = table.edits {
        let edits: Vec<EditTemplate> = edits
            .into_iter()
            .map(|edit| template(reader, &field("edits"), edit))
            .collect::<Result<_, _>>()?;
        RepairAction::Guest(edits.into())
    } else if let Some(action) = table.action {
        RepairAction::Platform(action)
    } else {
        let command = table.command.unwrap_or_default();
        let command = reader.expression(&field("command"), &command)?;
        RepairAction::Client(Arc::new(command))
    };
    let missing = |name: &str| reader.refuse(field(name), "is missing");
    let repair = Repair {
        title: table.title.ok_or_else(|| missing("title"))?,
        risk: table.risk.ok_or_else(|| missing("risk"))?,
        when: when.into_iter().collect(),
        with: Vec::new(),
        parameters: table.parameters,
        action,
        id: id.clone(),
    };
    floored(reader, &field("risk"), repair)
}

/// A repair that is no less risky than what it does.
fn floored(reader: Reader, field: &str, repair: Repair) -> Result<Repair, FaultError> {
    let least = repair.action.least_risk();
    if repair.risk < least {
        let problem = format!("what it does is at least `{least}`");
        return Err(reader.refuse(field, problem));
    }
    Ok(repair)
}

/// The values of exactly the parameters that a shared repair has, in its order: a
/// value may use the parameters before it.
fn bind(
    reader: Reader,
    field: &str,
    shared: &Repair,
    mut with: BTreeMap<String, String>,
) -> Result<Vec<(String, Arc<Expression>)>, FaultError> {
    let wrong = || {
        let wanted = shared.parameters.join(", ");
        reader.refuse(field, format!("`{}` takes exactly: {wanted}", shared.id))
    };
    let mut values = Vec::new();
    for name in &shared.parameters {
        let source = with.remove(name).ok_or_else(wrong)?;
        values.push((name.clone(), Arc::new(reader.expression(field, &source)?)));
    }
    if with.is_empty() { Ok(values) } else { Err(wrong()) }
}

/// An edit whose verb exists, with exactly that verb's arguments.
fn template(
    reader: Reader,
    field: &str,
    mut table: BTreeMap<String, String>,
) -> Result<EditTemplate, FaultError> {
    let said = table.remove("verb").unwrap_or_default();
    let Some((verb, arguments, _)) = VERBS.iter().find(|(verb, ..)| *verb == said) else {
        return Err(reader.refuse(field, format!("`{said}` is no verb")));
    };
    let mut wanted: Vec<String> =
        arguments.iter().map(|name| name.replace('_', "-")).collect();
    wanted.sort_unstable();
    if !table.keys().eq(&wanted) {
        let problem = format!("`{verb}` takes exactly: {}", wanted.join(", "));
        return Err(reader.refuse(field, problem));
    }
    let arguments = table
        .into_iter()
        .map(|(name, source)| {
            let value =
                reader.expression(&format!("{field}: {verb}: {name}"), &source)?;
            Ok((name, value))
        })
        .collect::<Result<_, FaultError>>()?;
    Ok(EditTemplate { verb, arguments })
}
