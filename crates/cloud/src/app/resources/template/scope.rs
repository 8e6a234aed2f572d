//! Evaluation: a template's values with their expressions replaced.
//!
//! Evaluation itself waits for nothing. Where it needs another resource's state and
//! does not have it, it stops with [`Fault::Needs`]; whoever asked fetches it and
//! evaluates again. How much it may do is bounded, whatever the template says.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::expression::{self, Expression, Written};
use super::{function, id};

/// How many values one template may evaluate.
const STEPS: usize = 2_000_000;
/// How deep variables may refer to each other.
const DEPTH: usize = 32;
/// How often a loop may run.
const TURNS: i64 = 800;

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The template is wrong.
    Wrong {
        /// Where, as in `resources[0].name`.
        place: String,
        /// What.
        why: String,
    },
    /// It depends on a resource's state.
    Needs(ResourceId),
}

impl Fault {
    pub(super) fn new(place: &str, why: impl Into<String>) -> Self {
        Self::Wrong { place: place.to_owned(), why: why.into() }
    }
}

/// One loop that a value is in: its name and how often it has run before.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(super) name: String,
    pub(super) index: i64,
}

/// What the deployment is in.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The deployment itself.
    pub(crate) deployment: ResourceId,
    /// What `resourceGroup()` gives.
    pub(crate) group: Value,
    /// What `subscription()` gives.
    pub(crate) subscription: Value,
    /// What `environment()` gives.
    pub(crate) environment: Value,
}

/// What a template's expressions can refer to.
pub(crate) struct Scope<'a> {
    template: &'a Value,
    parameters: &'a Map<String, Value>,
    around: &'a Surroundings,
    /// Resources of the template by their names.
    pub(super) known: Vec<(String, ResourceId)>,
    /// States of resources by key.
    pub(super) states: HashMap<String, Value>,
    variables: RefCell<HashMap<String, Value>>,
    steps: Cell<usize>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// The loops around it, the innermost last.
    pub(super) turns: &'a [Turn],
    /// Whether `reference()` is allowed there.
    pub(super) references: bool,
    depth: usize,
}

impl<'a> Frame<'a> {
    pub(super) fn new(turns: &'a [Turn], references: bool) -> Self {
        Self { turns, references, depth: 0 }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        template: &'a Value,
        parameters: &'a Map<String, Value>,
        around: &'a Surroundings,
    ) -> Self {
        Self {
            template,
            parameters,
            around,
            known: Vec::new(),
            states: HashMap::new(),
            variables: RefCell::default(),
            steps: Cell::new(0),
        }
    }

    /// A value with all of its expressions replaced, and its loops run.
    pub(super) fn value(
        &self,
        value: &Value,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<Value, Fault> {
        match value {
            Value::String(text) => match expression::read(text) {
                Ok(Written::Literal(literal)) => Ok(Value::String(literal)),
                Ok(Written::Expression(expression)) => {
                    self.evaluate(&expression, frame, place)
                }
                Err(why) => Err(Fault::new(
                    place,
                    format!("the expression '{}' is not valid: {why}", brief(text)),
                )),
            },
            Value::Array(all) => all
                .iter()
                .enumerate()
                .map(|(at, one)| self.value(one, frame, &format!("{place}[{at}]")))
                .collect(),
            Value::Object(all) => {
                let mut replaced = Map::new();
                for (key, one) in all {
                    let place = format!("{place}.{key}");
                    match one {
                        Value::Array(loops) if key == "copy" && is_loop(loops) => {
                            for one in loops {
                                let (name, values) = self.run_loop(one, frame, &place)?;
                                replaced.insert(name, values);
                            }
                        }
                        _ => {
                            let key = match self.value(&json!(key), frame, &place)? {
                                Value::String(key) => key,
                                _ => key.clone(),
                            };
                            replaced.insert(key, self.value(one, frame, &place)?);
                        }
                    }
                }
                Ok(Value::Object(replaced))
            }
            other => Ok(other.clone()),
        }
    }

    /// `{ name, count, input }`: the input as often as the count says.
    fn run_loop(
        &self,
        one: &Value,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<(String, Value), Fault> {
        let name = one["name"].as_str().unwrap_or_default().to_owned();
        let count = self.count(&one["count"], frame, place)?;
        let mut values = Vec::new();
        for index in 0..count {
            let mut turns = frame.turns.to_vec();
            turns.push(Turn { name: name.clone(), index });
            let frame = Frame { turns: &turns, ..frame };
            values.push(self.value(&one["input"], frame, &format!("{place}.input"))?);
        }
        Ok((name, json!(values)))
    }

    /// How often a loop runs.
    pub(super) fn count(
        &self,
        count: &Value,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<i64, Fault> {
        let count = self.value(count, frame, place)?;
        count.as_i64().filter(|count| (0..=TURNS).contains(count)).ok_or_else(|| {
            Fault::new(
                place,
                format!(
                    "the copy count must be a number from 0 to {TURNS}, and it is {count}"
                ),
            )
        })
    }

    pub(super) fn evaluate(
        &self,
        expression: &Expression,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<Value, Fault> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS {
            return Err(Fault::new(place, "the template takes too much to evaluate"));
        }
        match expression {
            Expression::Text(text) => Ok(json!(text)),
            Expression::Number(number) => Ok(json!(number)),
            Expression::Property(of, name) => {
                let value = self.evaluate(of, frame, place)?;
                property(&value, name).cloned().ok_or_else(|| {
                    Fault::new(
                        place,
                        format!(
                            "the language expression property '{name}' does not exist; '{of}' \
                             has {}",
                            names(&value)
                        ),
                    )
                })
            }
            Expression::Element(of, index) => {
                let value = self.evaluate(of, frame, place)?;
                let index = self.evaluate(index, frame, place)?;
                let found = match (&value, &index) {
                    (Value::Array(all), Value::Number(at)) => {
                        at.as_u64().and_then(|at| all.get(usize::try_from(at).ok()?))
                    }
                    (Value::Object(_), Value::String(name)) => property(&value, name),
                    _ => None,
                };
                found.cloned().ok_or_else(|| {
                    Fault::new(
                        place,
                        format!("'{of}' is {} without [{index}]", function::kind(&value)),
                    )
                })
            }
            Expression::Call(name, arguments) => self.call(name, arguments, frame, place),
        }
    }

    fn call(
        &self,
        name: &str,
        arguments: &[Expression],
        frame: Frame<'_>,
        place: &str,
    ) -> Result<Value, Fault> {
        let wrong =
            |why: String| Fault::new(place, format!("the function '{name}': {why}"));
        // These do not evaluate all that they are given.
        match (name, arguments) {
            ("if", [condition, then, otherwise]) => {
                let holds = self.evaluate(condition, frame, place)?;
                let holds = function::boolean(&holds).map_err(wrong)?;
                return self.evaluate(if holds { then } else { otherwise }, frame, place);
            }
            ("and" | "or", all) if all.len() >= 2 => {
                for one in all {
                    let holds = self.evaluate(one, frame, place)?;
                    let holds = function::boolean(&holds).map_err(wrong)?;
                    if holds == (name == "or") {
                        return Ok(json!(holds));
                    }
                }
                return Ok(json!(name == "and"));
            }
            _ => {}
        }
        let given = arguments
            .iter()
            .map(|argument| self.evaluate(argument, frame, place))
            .collect::<Result<Vec<_>, _>>()?;
        let text = |at: usize| given.get(at).and_then(Value::as_str);
        match (name, given.as_slice()) {
            ("parameters", [Value::String(name)]) => {
                find(self.parameters, name).cloned().ok_or_else(|| {
                    Fault::new(
                        place,
                        format!("the template parameter '{name}' is not found"),
                    )
                })
            }
            ("variables", [Value::String(name)]) => self.variable(name, frame, place),
            ("copyindex", _) => copy_index(&given, frame).map_err(wrong),
            ("resourcegroup", []) => Ok(self.around.group.clone()),
            ("subscription", []) => Ok(self.around.subscription.clone()),
            ("tenant", []) => {
                Ok(json!({ "tenantId": self.around.subscription["tenantId"] }))
            }
            ("environment", []) => Ok(self.around.environment.clone()),
            ("deployment", []) => Ok(json!({
                "name": self.around.deployment.name(),
                "properties": { "mode": "Incremental", "provisioningState": "Running" },
            })),
            (
                "resourceid"
                | "subscriptionresourceid"
                | "tenantresourceid"
                | "extensionresourceid",
                _,
            ) => {
                let texts = given
                    .iter()
                    .map(|one| function::string(one).map(str::to_owned))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(wrong)?;
                id::of_call(name, &texts, &self.around.deployment)
                    .map(Value::String)
                    .map_err(wrong)
            }
            ("pickzones", _) => Ok(json!([])),
            ("reference", _) => {
                let Some(of) = text(0) else {
                    return Err(wrong("a resource's name or id is expected".to_owned()));
                };
                let full = text(2).is_some_and(|word| word.eq_ignore_ascii_case("Full"));
                self.reference(of, full, frame, place)
            }
            (name, _) if name.starts_with("list") => {
                Err(wrong("this cloud has no keys or other secrets to list".to_owned()))
            }
            ("newguid" | "utcnow", _) => Err(wrong(
                "it is allowed in default values of parameters only".to_owned(),
            )),
            _ => match function::call(name, &given) {
                Some(outcome) => outcome.map_err(wrong),
                None => Err(wrong("this cloud does not have it".to_owned())),
            },
        }
    }

    fn variable(
        &self,
        name: &str,
        frame: Frame<'_>,
        place: &str,
    ) -> Result<Value, Fault> {
        let key = name.to_lowercase();
        if let Some(known) = self.variables.borrow().get(&key) {
            return Ok(known.clone());
        }
        if frame.depth > DEPTH {
            return Err(Fault::new(
                place,
                format!("the variable '{name}' refers to itself, or to others too deep"),
            ));
        }
        let frame = Frame { turns: &[], references: false, ..frame.deeper() };
        let all = self.template["variables"].as_object();
        let looped = self.template["variables"]["copy"].as_array();
        let found = all.and_then(|all| find(all, name));
        let in_loop = looped.into_iter().flatten().find(|one| {
            one["name"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name))
        });
        let place_of = format!("variables.{name}");
        let value = match (found, in_loop) {
            (Some(value), _) => self.value(value, frame, &place_of)?,
            (None, Some(one)) => self.run_loop(one, frame, &place_of)?.1,
            (None, None) => {
                return Err(Fault::new(
                    place,
                    format!("the template variable '{name}' is not found"),
                ));
            }
        };
        self.variables.borrow_mut().insert(key, value.clone());
        Ok(value)
    }
}

/// `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')`, `copyIndex('loop', offset)`
fn copy_index(given: &[Value], frame: Frame<'_>) -> Result<Value, String> {
    let (name, offset) = match given {
        [] => (None, 0),
        [Value::Number(offset)] => (None, offset.as_i64().unwrap_or_default()),
        [Value::String(name)] => (Some(name), 0),
        [Value::String(name), Value::Number(offset)] => {
            (Some(name), offset.as_i64().unwrap_or_default())
        }
        _ => return Err("a loop's name and an offset are expected".to_owned()),
    };
    let turn = match name {
        // Without a name it is the resource's own loop that is meant.
        None => frame.turns.first(),
        Some(name) => {
            frame.turns.iter().rev().find(|turn| turn.name.eq_ignore_ascii_case(name))
        }
    };
    let turn = turn.ok_or("there is no such copy loop around it")?;
    turn.index
        .checked_add(offset)
        .map(|index| json!(index))
        .ok_or_else(|| "the offset is too large".to_owned())
}

/// Whether an array is a list of loops, rather than data that is called `copy`.
fn is_loop(all: &[Value]) -> bool {
    !all.is_empty()
        && all.iter().all(|one| {
            one["name"].is_string()
                && one.get("count").is_some()
                && one.get("input").is_some()
        })
}

/// The value of a name, in whatever case.
pub(super) fn find<'v>(all: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    all.get(name).or_else(|| {
        all.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

fn property<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    find(value.as_object()?, name)
}

fn names(value: &Value) -> String {
    match value.as_object() {
        Some(all) if !all.is_empty() => {
            let names: Vec<&str> = all.keys().take(12).map(String::as_str).collect();
            names.join(", ")
        }
        _ => "no properties".to_owned(),
    }
}

/// The beginning of a text, for messages.
fn brief(text: &str) -> String {
    const LENGTH: usize = 120;
    let mut brief: String = text.chars().take(LENGTH).collect();
    if brief.len() < text.len() {
        brief.push('…');
    }
    brief
}
