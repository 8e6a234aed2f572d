//! Plans: which resources a template makes, in which order.
//!
//! Loops are run, conditions judged, names and types evaluated; properties are not,
//! because they may depend on the state of what is made before.

use std::collections::HashSet;

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::id;
use super::parameter::section;
use super::scope::{Fault, Frame, Scope, Surroundings, Turn};

/// How many resources one template may make.
const MOST: usize = 800;
/// How deep resources may be nested in each other.
const DEPTH: usize = 5;

/// A template that was understood.
pub(crate) struct Plan<'a> {
    scope: Scope<'a>,
    template: &'a Value,
    /// What is made, each after what it depends on.
    pub(crate) resources: Vec<Planned>,
}

/// A resource that is to be made.
pub(crate) struct Planned {
    /// Its id.
    pub(crate) id: ResourceId,
    /// The resource as the template has it.
    body: Value,
    turns: Vec<Turn>,
    place: String,
    /// Names by which others may mean it.
    aliases: Vec<String>,
    needs: Vec<String>,
    refers: Vec<ResourceId>,
    /// Only referred to.
    existing: bool,
}

/// Whatever is written around a resource's own properties.
const FRAME: [&str; 12] = [
    "apiVersion",
    "comments",
    "condition",
    "copy",
    "dependsOn",
    "existing",
    "metadata",
    "name",
    "resources",
    "resourceGroup",
    "scope",
    "type",
];

/// What a template's resources are nested in.
#[derive(Clone)]
struct Within {
    kind: String,
    name: String,
}

impl<'a> Plan<'a> {
    /// Plans a template with the values of its parameters.
    pub(crate) fn of(
        template: &'a Value,
        parameters: &'a Map<String, Value>,
        around: &'a Surroundings,
    ) -> Result<Self, Fault> {
        section(template, "variables")?;
        section(template, "outputs")?;
        let mut scope = Scope::new(template, parameters, around);
        let mut found = Vec::new();
        let mut left_out = Vec::new();
        let mut reader = Reader {
            scope: &scope,
            deployment: &around.deployment,
            found: &mut found,
            left_out: &mut left_out,
        };
        match &template["resources"] {
            Value::Null => {}
            Value::Array(all) => {
                for (at, one) in all.iter().enumerate() {
                    reader.read(one, &format!("resources[{at}]"), None, None)?;
                }
            }
            Value::Object(all) => {
                for (name, one) in all {
                    reader.read(one, &format!("resources.{name}"), None, Some(name))?;
                }
            }
            _ => return Err(Fault::new("resources", "an array is expected")),
        }
        for one in &found {
            for alias in &one.aliases {
                scope.known.push((alias.clone(), one.id.clone()));
            }
            let name = one.id.name().to_owned();
            scope.known.push((name, one.id.clone()));
        }
        for one in &mut found {
            let frame = Frame::new(&one.turns, true);
            one.refers = scope.referred_in(&one.body["properties"], frame);
        }
        let resources = in_order(found, &left_out)?;
        Ok(Self { scope, template, resources })
    }

    /// A resource's body with all of its expressions replaced.
    pub(crate) fn body(&self, planned: &Planned) -> Result<Value, Fault> {
        let frame = Frame::new(&planned.turns, true);
        let mut own = Map::new();
        let nested = planned.id.is_type("Microsoft.Resources/deployments")
            && planned.body["properties"]["expressionEvaluationOptions"]["scope"]
                .as_str()
                .is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
        for (key, value) in planned.body.as_object().into_iter().flatten() {
            if FRAME.iter().any(|word| word.eq_ignore_ascii_case(key)) {
                continue;
            }
            let place = format!("{}.{key}", planned.place);
            if nested && key == "properties" {
                // Its template is evaluated by itself.
                let mut properties = value.clone();
                let template = properties["template"].take();
                properties = self.scope.value(&properties, frame, &place)?;
                properties["template"] = template;
                own.insert(key.clone(), properties);
            } else {
                own.insert(key.clone(), self.scope.value(value, frame, &place)?);
            }
        }
        Ok(Value::Object(own))
    }

    /// The outputs, once all is made: `{ name: { type, value } }`.
    pub(crate) fn outputs(&self) -> Result<Value, Fault> {
        let mut outputs = Map::new();
        for (name, declared) in section(self.template, "outputs")?.into_iter().flatten() {
            let place = format!("outputs.{name}");
            let frame = Frame::new(&[], true);
            if let Some(condition) = declared.get("condition")
                && self.scope.value(condition, frame, &place)? != json!(true)
            {
                continue;
            }
            let mut output = json!({ "type": super::parameter::shown_type(declared) });
            let value = match declared.get("copy") {
                Some(copy) => {
                    let count = self.scope.count(&copy["count"], frame, &place)?;
                    (0..count)
                        .map(|index| {
                            let turns = [Turn { name: String::new(), index }];
                            self.scope.value(
                                &copy["input"],
                                Frame::new(&turns, true),
                                &place,
                            )
                        })
                        .collect::<Result<Value, _>>()?
                }
                None => self.scope.value(&declared["value"], frame, &place)?,
            };
            if !super::parameter::is_secure(declared) {
                output["value"] = value;
            }
            outputs.insert(name.clone(), output);
        }
        Ok(Value::Object(outputs))
    }

    /// Notes the state of a resource that an expression [needs](Fault::Needs).
    pub(crate) fn learn(&mut self, id: &ResourceId, state: Value) {
        self.scope.states.insert(crate::store::key_of(id), state);
    }

    /// Forgets the state of a resource that has changed.
    pub(crate) fn forget(&mut self, id: &ResourceId) {
        self.scope.states.remove(&crate::store::key_of(id));
    }
}

struct Reader<'s, 'a> {
    scope: &'s Scope<'a>,
    deployment: &'s ResourceId,
    found: &'s mut Vec<Planned>,
    /// Resources whose condition is false: others may depend on them.
    left_out: &'s mut Vec<(ResourceId, Vec<String>)>,
}

impl Reader<'_, '_> {
    /// Reads a resource, as often as its loop says, and those that are nested in it.
    fn read(
        &mut self,
        resource: &Value,
        place: &str,
        within: Option<&Within>,
        symbol: Option<&str>,
    ) -> Result<(), Fault> {
        if !resource.is_object() {
            return Err(Fault::new(place, "an object is expected"));
        }
        let Some(copy) = resource.get("copy").filter(|copy| copy.is_object()) else {
            return self.read_one(resource, &[], place, within, symbol, 0);
        };
        let frame = Frame::new(&[], false);
        let count = self.scope.count(&copy["count"], frame, &format!("{place}.copy"))?;
        let name = copy["name"].as_str().unwrap_or_default().to_owned();
        for index in 0..count {
            let turns = [Turn { name: name.clone(), index }];
            self.read_one(resource, &turns, place, within, symbol, 0)?;
        }
        if count == 0 {
            // Others may depend on a loop that never runs.
            let nowhere = self.deployment.clone();
            self.left_out.push((nowhere, vec![name]));
        }
        Ok(())
    }

    fn read_one(
        &mut self,
        resource: &Value,
        turns: &[Turn],
        place: &str,
        within: Option<&Within>,
        symbol: Option<&str>,
        depth: usize,
    ) -> Result<(), Fault> {
        if depth > DEPTH {
            return Err(Fault::new(place, "resources are nested too deep"));
        }
        let frame = Frame::new(turns, false);
        let word = |field: &str| -> Result<String, Fault> {
            let place = format!("{place}.{field}");
            let value = resource.get(field).ok_or_else(|| {
                Fault::new(&place, format!("the required property '{field}' is missing"))
            })?;
            match self.scope.value(value, frame, &place)? {
                Value::String(text) if !text.is_empty() => Ok(text),
                other => Err(Fault::new(
                    &place,
                    format!("a text is expected, and it is {other}"),
                )),
            }
        };
        let (mut kind, mut name) = (word("type")?, word("name")?);
        if let Some(within) = within
            && !kind.contains('/')
        {
            kind = format!("{}/{kind}", within.kind);
            if !name.contains('/') {
                name = format!("{}/{name}", within.name);
            }
        }
        let id = id::of_resource(self.deployment, &kind, &name)
            .map_err(|why| Fault::new(&format!("{place}.name"), why))?;
        let mut aliases: Vec<String> =
            turns.iter().map(|turn| turn.name.clone()).collect();
        aliases.extend(symbol.map(str::to_owned));
        let condition = match resource.get("condition") {
            None => true,
            Some(condition) => {
                let place = format!("{place}.condition");
                match self.scope.value(condition, frame, &place)? {
                    Value::Bool(holds) => holds,
                    other => {
                        return Err(Fault::new(
                            &place,
                            format!("true or false is expected, and it is {other}"),
                        ));
                    }
                }
            }
        };
        let own = Within { kind, name };
        if condition {
            let mut needs = Vec::new();
            for (at, one) in
                resource["dependsOn"].as_array().into_iter().flatten().enumerate()
            {
                let place = format!("{place}.dependsOn[{at}]");
                match self.scope.value(one, frame, &place)? {
                    Value::String(text) => needs.push(text),
                    other => {
                        return Err(Fault::new(
                            &place,
                            format!("a text is expected, and it is {other}"),
                        ));
                    }
                }
            }
            if let Some(within) = within {
                needs.push(format!("{}/{}", within.kind, within.name));
            }
            if self.found.len() >= MOST {
                return Err(Fault::new(
                    place,
                    format!("a template can have at most {MOST} resources"),
                ));
            }
            self.found.push(Planned {
                id,
                body: resource.clone(),
                turns: turns.to_vec(),
                place: place.to_owned(),
                aliases,
                needs,
                refers: Vec::new(),
                existing: resource["existing"] == true,
            });
        } else {
            self.left_out.push((id, aliases));
        }
        for (at, child) in
            resource["resources"].as_array().into_iter().flatten().enumerate()
        {
            let place = format!("{place}.resources[{at}]");
            if !child.is_object() {
                return Err(Fault::new(&place, "an object is expected"));
            }
            if condition {
                self.read_one(child, turns, &place, Some(&own), None, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Sorts resources so that each comes after what it depends on.
fn in_order(
    found: Vec<Planned>,
    left_out: &[(ResourceId, Vec<String>)],
) -> Result<Vec<Planned>, Fault> {
    let mut seen = HashSet::new();
    for one in &found {
        if !seen.insert(crate::store::key_of(&one.id)) {
            return Err(Fault::new(
                &one.place,
                format!(
                    "the resource '{}' is defined multiple times in the template",
                    one.id
                ),
            ));
        }
    }
    let mut edges: Vec<HashSet<usize>> = Vec::with_capacity(found.len());
    for one in &found {
        let mut needed = HashSet::new();
        for text in &one.needs {
            let named = |id: &ResourceId, aliases: &[String]| {
                id::means(text, id)
                    || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
            };
            let meant: Vec<usize> = (0..found.len())
                .filter(|&at| named(&found[at].id, &found[at].aliases))
                .collect();
            if meant.is_empty() && !left_out.iter().any(|(id, names)| named(id, names)) {
                return Err(Fault::new(
                    &format!("{}.dependsOn", one.place),
                    format!("the resource '{text}' is not defined in the template"),
                ));
            }
            needed.extend(meant);
        }
        for id in &one.refers {
            needed.extend((0..found.len()).filter(|&at| found[at].id == *id));
        }
        edges.push(needed);
    }
    let mut left: Vec<Option<Planned>> = found.into_iter().map(Some).collect();
    let mut done: HashSet<usize> = HashSet::new();
    let mut order = Vec::with_capacity(left.len());
    while done.len() < left.len() {
        let ready = (0..left.len()).find(|at| {
            !done.contains(at) && edges[*at].iter().all(|one| done.contains(one))
        });
        let Some(ready) = ready else {
            let stuck = left.iter().flatten().next();
            let (place, id) = stuck.map_or_else(Default::default, |one| {
                (one.place.clone(), one.id.to_string())
            });
            return Err(Fault::new(
                &place,
                format!("circular dependency detected on resource: '{id}'"),
            ));
        };
        done.insert(ready);
        order.extend(left[ready].take());
    }
    order.retain(|one| !one.existing);
    Ok(order)
}
