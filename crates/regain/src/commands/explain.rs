//! `explain FAULT`

use doctor::fault::Fault;
use doctor::{Catalogue, Lang};
use serde_json::{Value, json};

use crate::args::rescue::Explain;
use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::output::{Answer, explanation};

pub(super) fn run(args: &Explain, context: &Context) -> Result<Answer, Failure> {
    let catalogue = knowledge::catalogue(&args.faults)?;
    let Some(fault) = catalogue.get(&args.fault) else {
        return Err(unknown(&args.fault, &catalogue));
    };
    let text = explanation::render(fault, context.lang(), context.printer.style());
    Ok(Answer::new(document(fault, context.lang())).with_text(text))
}

/// The failure of naming a fault that does not exist.
pub(super) fn unknown(id: &str, catalogue: &Catalogue) -> Failure {
    let (prefix, name) = id.split_once('.').unwrap_or(("", id));
    let layer =
        catalogue.iter().map(|fault| fault.layer).find(|layer| layer.prefix() == prefix);
    // Of its own layer, if there is one that sounds like it.
    let sounds_like =
        |(_, its_name): &(&str, &str)| its_name.contains(name) || name.contains(its_name);
    let close = catalogue
        .iter()
        .filter_map(|fault| fault.id.split_once('.'))
        .filter(sounds_like)
        .min_by_key(|(its_prefix, _)| *its_prefix != prefix)
        .map(|(its_prefix, its_name)| format!("{its_prefix}.{its_name}"));
    let next = match (close, layer) {
        (Some(close), _) => format!("did you mean {close}? see `regain faults list`"),
        (None, Some(layer)) => format!("see `regain faults list --layer {layer}`"),
        (None, None) => "see `regain faults list`".to_owned(),
    };
    Failure::not_found(format!("there is no fault '{id}'")).next(next)
}

/// One fault as a document.
pub(super) fn document(fault: &Fault, lang: Lang) -> Value {
    let repairs: Vec<Value> = fault
        .repairs
        .iter()
        .map(|repair| {
            json!({
                "id": repair.id,
                "title": repair.title.get(lang),
                "risk": repair.risk,
                "channel": repair.action.channel(),
            })
        })
        .collect();
    let symptoms: Vec<String> =
        fault.symptoms().into_iter().map(|symptom| symptom.to_string()).collect();
    let states: Vec<&str> = fault.states.iter().map(|state| state.id.as_str()).collect();
    json!({
        "id": fault.id,
        "layer": fault.layer,
        "title": fault.title.get(lang),
        "explanation": fault.explanation.get(lang),
        "symptoms": symptoms,
        "produces": states,
        "when": fault.rule(),
        "basis": fault.basis,
        "confidence": fault.basis.confidence(),
        "explains": fault.explains,
        "repairs": repairs,
        "references": fault.references,
    })
}
