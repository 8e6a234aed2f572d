//! The hostile gauntlet: a login user turns what lies in their own home against a
//! repair that is made by root. Whatever the trick, nothing outside that home changes,
//! the undo is exact, nobody has more rights than before, nothing of what a link leads
//! to is in the case, and "regained" is said only where the login works.

mod trial;
mod tricks;

use e2e::Lab;
use trial::Trial;
use tricks::Trick;

fn withstands(tricks: &[Trick]) {
    let lab = Lab::up();
    let trial = Trial::begin(&lab);
    let complaints: Vec<String> =
        tricks.iter().flat_map(|trick| trial.carry_out(trick)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn a_key_file_that_is_something_else_gives_nothing_away() {
    withstands(tricks::KEY_FILES);
}

#[test]
fn a_home_that_is_somewhere_else_gives_nothing_away() {
    withstands(tricks::HOMES);
}

#[test]
fn rights_are_taken_from_the_users_own_paths_only() {
    withstands(tricks::RIGHTS);
}

#[test]
fn a_user_who_changes_everything_meanwhile_gains_nothing() {
    withstands(tricks::RACES);
}
