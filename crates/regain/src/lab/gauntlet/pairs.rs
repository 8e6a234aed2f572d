//! Two faults at once: a sample of pairs of different layers, another one each day.
//!
//! Which pairs can be seen together the doctor's own tests know; what a real VM does
//! with two of them only a real VM shows. Either may be named: which one a login meets
//! first depends on the VM. The repair goes on until the login works, and its undo puts
//! both faults back.

use doctor::Catalogue;
use doctor::fault::{Fault, Place};

use crate::lab::case::{self, Case};

/// `count` pairs of the catalogue's faults; the same for the same seed.
pub(crate) fn sample(catalogue: &Catalogue, count: usize, seed: u64) -> Vec<Case> {
    let mut pairs = all(catalogue);
    shuffle(&mut pairs, seed);
    pairs.truncate(count);
    pairs
}

/// Every pair of faults of different layers that can be injected into one VM.
fn all(catalogue: &Catalogue) -> Vec<Case> {
    let faults: Vec<&Fault> = catalogue.iter().filter(|fault| suits(fault)).collect();
    let mut pairs = Vec::new();
    for (at, one) in faults.iter().enumerate() {
        for two in &faults[at + 1..] {
            if one.layer != two.layer {
                pairs.extend(case::of_fault(one).zip(case::of_fault(two)).map(join));
            }
        }
    }
    pairs
}

/// Whether a fault leaves room for another: regain repairs it, and the VM still runs
/// and is reached by its address.
fn suits(fault: &Fault) -> bool {
    fault.inject.as_ref().is_some_and(|inject| {
        let advice_is_typed = inject.place == Place::Client && inject.host.is_none();
        inject.repairable || advice_is_typed
    })
}

/// Both in one case. What is done to the platform comes last: a VM that it has stopped
/// takes no injection any more.
fn join((one, two): (Case, Case)) -> Case {
    let late =
        |case: &Case| case.injections.iter().any(|one| one.place == Place::Platform);
    let (first, second) = if late(&one) { (two, one) } else { (one, two) };
    Case {
        id: format!("{} + {}", first.id, second.id),
        expect: first.expect.into_iter().chain(second.expect).collect(),
        injections: first.injections.into_iter().chain(second.injections).collect(),
        host: first.host.or(second.host),
        repairable: true,
    }
}

/// Fisher and Yates, with the numbers of SplitMix64.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        let chosen = number % (last as u64 + 1);
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(seed: u64) -> Vec<String> {
        let catalogue = Catalogue::builtin().unwrap();
        sample(&catalogue, 12, seed).into_iter().map(|case| case.id).collect()
    }

    #[test]
    fn a_seed_always_gives_the_same_pairs_and_another_one_others() {
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
        assert_eq!(ids(1).len(), 12);
    }

    #[test]
    fn a_pair_is_two_faults_of_different_layers_and_either_may_be_named() {
        let catalogue = Catalogue::builtin().unwrap();
        let pairs = all(&catalogue);
        assert!(pairs.len() > 500, "{}", pairs.len());
        for pair in pairs {
            let [one, two] = pair.expect.as_slice() else { panic!("{pair:?}") };
            let layer = |id: &str| catalogue.get(id).unwrap().layer;
            assert_ne!(layer(one), layer(two));
            assert_eq!(pair.injections.len(), 2);
        }
    }

    #[test]
    fn a_vm_is_stopped_only_after_the_other_injection() {
        let catalogue = Catalogue::builtin().unwrap();
        for pair in all(&catalogue) {
            let places: Vec<Place> =
                pair.injections.iter().map(|one| one.place).collect();
            let stopped = places.iter().position(|place| *place == Place::Platform);
            assert!(stopped.is_none_or(|at| at == 1 || places[1] == Place::Platform));
        }
    }
}
