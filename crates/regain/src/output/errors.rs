//! Failures, as `az` prints them: `ERROR: (Code) Message` and ARM's parts line
//! by line, then what to do next.

use std::fmt::Write;

use arm::ArmError;
use doctor::Lang;

use crate::failure::Failure;

pub(super) fn render(failure: &Failure, lang: Lang) -> String {
    let mut out = format!("ERROR: {}\n", failure.chain());
    if let Failure::Arm(error) = failure
        && let Some(reason) = error.arm()
    {
        parts(&mut out, reason, "");
        if !reason.details.is_empty() {
            out.push_str("Exception Details:");
            for detail in &reason.details {
                let _ = writeln!(out, "\t{detail}");
                parts(&mut out, detail, "\t");
            }
        }
    }
    if let Some(next) = failure.next_step() {
        let _ = writeln!(out, "{}: {next}", lang.pick("Next step", "次の手順"));
    }
    out
}

fn parts(out: &mut String, error: &ArmError, indent: &str) {
    let _ = writeln!(out, "{indent}Code: {}", error.code);
    let _ = writeln!(out, "{indent}Message: {}", error.message);
    if let Some(target) = &error.target {
        let _ = writeln!(out, "{indent}Target: {target}");
    }
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
