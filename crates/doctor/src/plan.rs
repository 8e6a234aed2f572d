//! From a verdict to the steps that may bring the login back.
//!
//! The root cause's own repairs come first, least risky first, then those of
//! what would stop the login next. Only after all of them come the platform's
//! general remedies, in the order of Microsoft's "Troubleshoot SSH connections
//! to an Azure Linux VM": they replace more than they have to, so they are for
//! causes that nobody could name or repair.

use crate::fault::Layer;
use crate::risk::Risk;
use crate::step::{Action, ArmAction, Channel, LAST_RESORT, Step};
use crate::symptom::{Stage, Symptom};
use crate::verdict::Verdict;

/// The steps to try, in order.
pub fn plan(verdict: &Verdict) -> Vec<Step> {
    if verdict.reachable {
        return Vec::new();
    }
    let mut steps: Vec<Step> =
        verdict.causes.iter().flat_map(|cause| cause.repairs.clone()).collect();
    for step in last_resorts(verdict) {
        if !steps.iter().any(|known| known.action == step.action) {
            steps.push(step);
        }
    }
    steps
}

/// The remedies that may help without a cause: none where the VM is not at
/// fault, or where there is no cloud to ask.
fn last_resorts(verdict: &Verdict) -> Vec<Step> {
    let elsewhere = verdict.causes.first().is_some_and(|root| {
        matches!(root.layer, Layer::Client | Layer::Name | Layer::Network)
    });
    if verdict.target.resource_id.is_none() || elsewhere {
        return Vec::new();
    }
    let Some(symptom) = verdict.symptom else { return Vec::new() };
    let helps = |action: ArmAction| match symptom.stage() {
        Stage::Name | Stage::HostKey => false,
        _ if symptom == Symptom::TcpDenied => false,
        Stage::Auth => action != ArmAction::RedeployVm,
        _ => action != ArmAction::ResetCredentials,
    };
    let remedies = [
        (
            ArmAction::ResetSsh,
            "reset-ssh",
            Risk::Reset,
            verdict.lang.pick(
                "Reset the SSH server's configuration to a stock one",
                "SSH サーバーの構成を既定の内容にリセットする",
            ),
        ),
        (
            ArmAction::ResetCredentials,
            "reset-credentials",
            Risk::Credential,
            verdict.lang.pick(
                "Set the user's SSH key through the platform",
                "プラットフォーム経由でユーザーの SSH キーを設定する",
            ),
        ),
        (
            ArmAction::RestartVm,
            "restart-vm",
            Risk::Reboot,
            verdict.lang.pick("Restart the VM", "VM を再起動する"),
        ),
        (
            ArmAction::RedeployVm,
            "redeploy-vm",
            Risk::Redeploy,
            verdict.lang.pick(
                "Redeploy the VM to another host (temporary disk and dynamic address are lost)",
                "VM を別のホストに再デプロイする (一時ディスクと動的アドレスは失われる)",
            ),
        ),
    ];
    remedies
        .into_iter()
        .filter(|(action, ..)| helps(*action))
        .map(|(action, id, risk, title)| Step {
            fault: LAST_RESORT.to_owned(),
            id: id.to_owned(),
            title: title.to_owned(),
            risk,
            channel: Channel::Arm,
            action: Action::Arm { action },
            losses: Vec::new(),
        })
        .collect()
}
