//! Facts as variables of a rule: one pass over their JSON takes the unsettled ones
//! out, and keeps their reasons under their paths.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::common::traits::{Container, Indexer, Iterable, Sizer, Zeroer};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, MAP_TYPE,
    Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Context, ExecutionError};
use serde_json::{Map, Value};

use super::known::UNKNOWN;
use crate::fault::empty_context;

/// Variables of the rules, and why some of their fields are not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: Map<String, Value>,
    /// Path (`account.expired`) -> reason.
    pub(super) reasons: BTreeMap<String, String>,
}

impl Variables {
    /// Adds a variable.
    pub(super) fn bind(&mut self, name: &str, facts: &impl serde::Serialize) {
        match serde_json::to_value(facts) {
            Ok(Value::Null) => {}
            Ok(value) => match reason(&value) {
                Some(why) => self.lack(name, why),
                None => {
                    note(&value, name, &mut self.reasons);
                    self.values.insert(name.to_owned(), value);
                }
            },
            Err(error) => self.lack(name, &error.to_string()),
        }
    }

    /// Notes why a variable is not there.
    pub(super) fn lack(&mut self, name: &str, why: &str) {
        self.reasons.insert(name.to_owned(), why.to_owned());
    }

    /// The context in which rules run.
    pub(super) fn context(&self) -> Context<'static, 'static> {
        let mut context = empty_context();
        for (name, value) in &self.values {
            context.add_variable_as_val(name, of_json(value, name));
        }
        context
    }
}

/// The reason in place of a fact that is not known.
fn reason(value: &Value) -> Option<&str> {
    value.as_object()?.get(UNKNOWN)?.as_str()
}

fn note(value: &Value, path: &str, reasons: &mut BTreeMap<String, String>) {
    let Some(object) = value.as_object() else { return };
    for (key, value) in object {
        let path = format!("{path}.{key}");
        match reason(value) {
            Some(why) => {
                reasons.insert(path, why.to_owned());
            }
            None => note(value, &path, reasons),
        }
    }
}

/// A value of CEL. A null is a field that is not there.
fn of_json(value: &Value, path: &str) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Array(items) => {
            let items: Vec<Box<dyn Val>> =
                items.iter().map(|item| of_json(item, path)).collect();
            Box::new(CelList::from(items))
        }
        Value::Object(object) => of_object(object, path),
    }
}

fn of_object(object: &Map<String, Value>, path: &str) -> Box<dyn Val> {
    let mut known: HashMap<CelMapKey<'static>, Box<dyn Val>> = HashMap::new();
    let mut unknown = BTreeMap::new();
    for (key, value) in object {
        let path = format!("{path}.{key}");
        if reason(value).is_some() {
            unknown.insert(key.clone(), path);
        } else if !value.is_null() {
            known.insert(CelMapKey::from(key.clone()), of_json(value, &path));
        }
    }
    let known = CelMap::from(known);
    if unknown.is_empty() {
        Box::new(known)
    } else {
        Box::new(Partial { known, unknown })
    }
}

/// A map in which some fields are not known: to ask for one of them, be it with
/// `has`, is an error that names it.
#[derive(Debug, Clone)]
struct Partial {
    known: CelMap<'static>,
    /// Field -> its whole path.
    unknown: BTreeMap<String, String>,
}

impl Val for Partial {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        self.known.as_container()
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        self.known.as_iterable()
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.known.as_sizer()
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        self.known.as_zeroer()
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Partial {}

impl Indexer for Partial {
    fn get<'b, 'v>(&'b self, field: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = field.downcast_ref::<CelString>();
        match name.and_then(|name| self.unknown.get(name.inner())) {
            Some(path) => {
                Err(ExecutionError::UndeclaredReference(Arc::new(path.clone())))
            }
            None => self.known.get(field),
        }
    }

    fn steal<'v>(
        self: Box<Self>,
        field: &dyn Val,
    ) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(field).map(CowVal::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fault::{Expression, Truth};

    fn truth(source: &str) -> Truth {
        let mut variables = Variables::default();
        variables.bind(
            "account",
            &json!({"uid": 7, "none": null, "expired": {UNKNOWN: "nobody looked"},
                    "keys": {"count": {UNKNOWN: "cut"}, "state": "keys"}}),
        );
        variables.lack("sshd", "the agent is dead");
        assert_eq!(variables.reasons["account.expired"], "nobody looked");
        assert_eq!(variables.reasons["account.keys.count"], "cut");
        Expression::compile(source).expect("CEL").truth(&variables.context())
    }

    #[test]
    fn to_read_what_is_not_known_leaves_a_rule_open_and_names_it() {
        for (source, field) in [
            ("account.expired", "account.expired"),
            ("has(account.expired)", "account.expired"),
            ("account.uid == 7 && account.keys.count > 1", "account.keys.count"),
        ] {
            assert_eq!(truth(source), Truth::Undetermined(field.to_owned()), "{source}");
        }
        assert_eq!(truth("sshd.running"), Truth::Undetermined("sshd".to_owned()));
    }

    #[test]
    fn what_is_known_is_read_beside_it() {
        assert_eq!(truth("account.uid == 7 && account.keys.state == 'keys'"), Truth::Yes);
        assert_eq!(truth("has(account.none)"), Truth::No);
        assert_eq!(truth("account.uid == 8 && account.expired"), Truth::No);
        assert_eq!(truth("account.expired || account.uid == 7"), Truth::Yes);
    }
}
