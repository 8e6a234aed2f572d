//! Two things wrong at once: every pair of injectable faults of different layers.
//!
//! A login meets one of them first. The case of a pair is the healthy VM with both
//! merge patches, and with the end of a login at the one that it meets first. Then
//! that one is the root, the other waits behind it, and nothing else is named. With
//! the end at the other one the login has got past the first, which is then neither
//! named nor repaired.

mod cases;

use cases::{Entry, OF_THE_END, base, case, catalogue, ending, entries, merge};
use doctor::fault::Fault;
use doctor::{Catalogue, Lang, Symptom, Verdict, judge, plan};
use serde_json::Value;

/// An injectable fault, with the case that shows nothing but it.
struct Broken<'a> {
    fault: &'a Fault,
    entry: Entry,
    symptom: Symptom,
}

impl Broken<'_> {
    /// Where a login meets it.
    fn met(&self) -> (doctor::Stage, usize) {
        let places = self.fault.states.iter().filter(|state| {
            state.shows.iter().any(|shown| shown.symptom == self.symptom)
        });
        (self.symptom.stage(), places.map(|state| state.place).min().expect("a state"))
    }

    /// What it changes besides the end of the login, and besides what it hides.
    fn quiet(&self) -> Value {
        let mut changes = self.entry.changes.clone();
        let object = changes.as_object_mut().expect("a patch is an object");
        object.retain(|section, patch| {
            let hides = patch.get("collected").is_some_and(Value::is_null);
            !hides && !OF_THE_END.contains(&section.as_str())
        });
        changes
    }
}

fn broken(catalogue: &Catalogue) -> Vec<Broken<'_>> {
    let entries = entries();
    catalogue
        .iter()
        .filter(|fault| fault.inject.is_some())
        .map(|fault| {
            let own = |entry: &&Entry| {
                entry.expect == [fault.id.clone()] && !entry.name.starts_with("blind: ")
            };
            let entry = entries.iter().find(own).cloned();
            let entry = entry.unwrap_or_else(|| panic!("{} has no case", fault.id));
            let symptom = entry.ends.as_deref().expect("an end").parse();
            Broken { fault, entry, symptom: symptom.expect("a symptom") }
        })
        .collect()
}

/// A VM with both faults whose login ended as it does at `seen`. What that one hides
/// (a VM that does not run answers nothing) stays hidden.
fn both(seen: &Broken, other: &Broken, catalogue: &Catalogue) -> Verdict {
    let mut document = base();
    merge(&mut document, &other.quiet());
    merge(&mut document, &ending(seen.entry.ends.as_deref().expect("an end")));
    merge(&mut document, &seen.entry.changes);
    // What one of them hides, the other cannot show.
    for section in document.as_object_mut().expect("a case is an object").values_mut() {
        if let Some(section) = section.as_object_mut()
            && section.contains_key("failed")
        {
            section.remove("collected");
        }
    }
    let case = case(&document).unwrap_or_else(|error| {
        panic!("{} and {}: {error}", seen.fault.id, other.fault.id)
    });
    judge(&case, catalogue, Lang::En)
}

/// Whether both write the same value of the case, so that only one can be seen.
fn clash(one: &Broken, other: &Broken) -> bool {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    leaves(&one.quiet(), "", &mut left);
    leaves(&other.quiet(), "", &mut right);
    left.iter()
        .any(|(path, value)| right.iter().any(|(its, v)| its == path && v != value))
}

fn leaves(patch: &Value, here: &str, found: &mut Vec<(String, Value)>) {
    match patch {
        Value::Object(object) => {
            for (key, value) in object {
                leaves(value, &format!("{here}/{key}"), found);
            }
        }
        leaf => found.push((here.to_owned(), leaf.clone())),
    }
}

fn named(verdict: &Verdict, fault: &Fault) -> bool {
    verdict.causes.iter().any(|cause| cause.fault == fault.id)
}

fn open(verdict: &Verdict, fault: &Fault) -> bool {
    verdict.not_checked.iter().any(|entry| entry.faults.contains(&fault.id))
}

/// Pairs of which one takes away what the other stands on: who has no home has no keys
/// in it that sshd could look for elsewhere, and without its main file sshd reads no
/// drop-in.
const EXCLUSIVE: [[&str; 2]; 6] = [
    ["auth.ak-path-moved", "sshd.config-missing"],
    ["auth.ak-path-moved", "sess.home-missing"],
    ["auth.allowgroups", "sshd.config-missing"],
    ["auth.allowusers", "sshd.config-missing"],
    ["auth.denygroups", "sshd.config-missing"],
    ["auth.denyusers", "sshd.config-missing"],
];

/// Every pair of different layers, the one that is met first before the other.
fn pairs<'a>(broken: &'a [Broken<'a>]) -> Vec<(&'a Broken<'a>, &'a Broken<'a>)> {
    let mut pairs = Vec::new();
    for (at, one) in broken.iter().enumerate() {
        for two in &broken[at + 1..] {
            let ids = [one.fault.id.as_str(), two.fault.id.as_str()];
            if one.fault.layer != two.fault.layer && !EXCLUSIVE.contains(&ids) {
                pairs.push(if one.met() <= two.met() { (one, two) } else { (two, one) });
            }
        }
    }
    pairs
}

#[test]
fn the_fault_that_is_met_first_is_the_root_and_the_other_waits() {
    let catalogue = catalogue();
    let broken = broken(&catalogue);
    let pairs = pairs(&broken);
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for (first, other) in pairs.iter().filter(|(first, other)| !clash(first, other)) {
        judged += 1;
        let verdict = both(first, other, &catalogue);
        let causes: Vec<&str> =
            verdict.causes.iter().map(|cause| cause.fault.as_str()).collect();
        let ids = [first.fault.id.as_str(), other.fault.id.as_str()];
        let alike = first.met() == other.met();
        let root = causes.first().copied();
        let right = root == Some(ids[0]) || (alike && root == Some(ids[1]));
        let only = causes.iter().all(|cause| ids.contains(cause));
        // What only ssh's last words show is not seen before ssh comes so far.
        let silent = other.quiet().as_object().is_some_and(serde_json::Map::is_empty);
        let waits = silent || named(&verdict, other.fault) || open(&verdict, other.fault);
        if !(right && only && waits) {
            wrong.push(format!("{ids:?} at {}: {causes:?}", first.symptom));
        }
    }
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged > 900, "only {judged} of {} pairs can be seen at once", pairs.len());
}

#[test]
fn a_fault_that_the_login_got_past_is_neither_named_nor_repaired() {
    let catalogue = catalogue();
    let broken = broken(&catalogue);
    let mut wrong = Vec::new();
    for (first, other) in pairs(&broken) {
        if first.fault.symptoms().contains(&other.symptom) {
            continue;
        }
        let verdict = both(other, first, &catalogue);
        let repaired = plan(&verdict).iter().any(|step| step.fault == first.fault.id);
        if named(&verdict, first.fault) || repaired {
            wrong.push(format!("{} at {}", first.fault.id, other.symptom));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
