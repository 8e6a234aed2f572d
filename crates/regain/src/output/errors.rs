//! Failures, as `az` prints them: `ERROR: (Code) Message` and ARM's parts line
//! by line, then what to do next.

use std::fmt::Write;

use arm::ArmError;
use doctor::Lang;

use crate::failure::Failure;

pub(super) fn render(failure: &Failure, lang: Lang) -> String {
    let mut out = format!("ERROR: {}\n", failure.chain());
    if let Some(reason) = failure.arm().and_then(arm::Error::arm) {
        out.push_str(&parts(reason));
        out.push('\n');
    }
    if let Some(next) = failure.next_step() {
        let _ = writeln!(out, "{}: {next}", lang.pick("Next step", "次の手順"));
    }
    out
}

/// The parts of an error, those below it indented; az puts no line's end between
/// two of them.
fn parts(error: &ArmError) -> String {
    let mut out = format!("Code: {}\nMessage: {}", error.code, error.message);
    if let Some(target) = &error.target {
        let _ = write!(out, "\nTarget: {target}");
    }
    if !error.details.is_empty() {
        out.push_str("\nException Details:");
        for detail in &error.details {
            let text = format!("{detail}\n{}", parts(detail));
            let lines: Vec<String> =
                text.lines().map(|line| format!("\t{line}")).collect();
            out.push_str(&lines.join("\n"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_error_is_printed_as_az_prints_it() {
        let error = ArmError::new("X", "M")
            .with_target("t")
            .with_detail(ArmError::new("Inner", "why"));
        let failure = Failure::from(arm::Error::Api { status: 400, error });
        assert_eq!(
            render(&failure, Lang::En),
            "ERROR: (X) M\nCode: X\nMessage: M\nTarget: t\n\
             Exception Details:\t(Inner) why\n\tCode: Inner\n\tMessage: why\n"
        );
    }

    #[test]
    fn errors_below_an_error_are_all_shown() {
        let inner = ArmError::new("B", "b").with_detail(ArmError::new("C", "c"));
        let error = ArmError::new("A", "a")
            .with_detail(inner)
            .with_detail(ArmError::new("D", "d"));
        assert_eq!(
            parts(&error),
            "Code: A\nMessage: a\nException Details:\t(B) b\n\tCode: B\n\tMessage: b\n\
             \tException Details:\t(C) c\n\t\tCode: C\n\t\tMessage: c\
             \t(D) d\n\tCode: D\n\tMessage: d"
        );
    }

    #[test]
    fn the_next_step_is_in_the_operators_language() {
        let failure = Failure::new("no cloud").next("regain lab up");
        assert_eq!(
            render(&failure, Lang::En),
            "ERROR: no cloud\nNext step: regain lab up\n"
        );
        assert_eq!(
            render(&failure, Lang::Ja),
            "ERROR: no cloud\n次の手順: regain lab up\n"
        );
    }
}
