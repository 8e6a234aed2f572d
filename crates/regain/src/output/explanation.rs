//! A fault for people.

use std::fmt::Write;

use doctor::Lang;
use doctor::fault::Fault;

use super::paragraph::indented;
use super::style::Style;

/// What a fault is, how it is seen, how it is repaired.
pub(crate) fn render(fault: &Fault, lang: Lang, style: Style) -> String {
    let mut out =
        format!("{}\n", style.bold(&format!("{}: {}", fault.id, fault.title.get(lang))));
    let _ = writeln!(out, "\n{}", indented(fault.explanation.get(lang)));

    let symptoms: Vec<String> =
        fault.symptoms().into_iter().map(|symptom| symptom.to_string()).collect();
    let states: Vec<&str> =
        fault.states.iter().map(|state| state.title.get(lang)).collect();
    section(
        &mut out,
        lang.pick("What it leads to", "引き起こす状態"),
        &states.join("; "),
        style,
    );
    section(
        &mut out,
        lang.pick("How the login fails", "症状"),
        &symptoms.join(", "),
        style,
    );
    section(
        &mut out,
        lang.pick("How it is recognised", "判定条件"),
        &fault.rule(),
        style,
    );
    if !fault.doubts.is_empty() {
        let heading = lang.pick("What makes it less sure", "確度を下げるもの");
        let doubts: Vec<&str> =
            fault.doubts.iter().map(|doubt| doubt.text.get(lang)).collect();
        section(&mut out, heading, &doubts.join("; "), style);
    }
    if !fault.explains.is_empty() {
        let heading = lang.pick("It explains", "この障害が引き起こすもの");
        section(&mut out, heading, &fault.explains.join(", "), style);
    }
    if !fault.repairs.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold(lang.pick("Repair", "修復")));
        for repair in &fault.repairs {
            let _ = writeln!(
                out,
                "  {} [{}] {}",
                style.arrow(),
                repair.risk,
                repair.title.get(lang)
            );
        }
    }
    if !fault.references.is_empty() {
        let _ = writeln!(out, "\n{}", style.bold(lang.pick("References", "参考")));
        for reference in &fault.references {
            let _ = writeln!(out, "  {} {reference}", style.bullet());
        }
    }
    out
}

fn section(out: &mut String, heading: &str, text: &str, style: Style) {
    let _ = writeln!(out, "\n{}\n{}", style.bold(heading), indented(text.trim()));
}
