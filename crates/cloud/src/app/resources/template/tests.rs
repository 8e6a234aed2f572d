//! What a template means, from its text to its plan.

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::parameter;
use super::{Fault, Plan, Surroundings};

fn around() -> Surroundings {
    Surroundings {
        deployment: ResourceId::parse(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/deployments/d",
        )
        .unwrap(),
        group: json!({ "id": "/subscriptions/s/resourceGroups/g", "name": "g", "location": "westus" }),
        subscription: json!({ "id": "/subscriptions/s", "subscriptionId": "s", "tenantId": "t" }),
        environment: json!({ "name": "regain" }),
    }
}

/// The value of one expression, in a template with a few parameters and variables.
fn value(expression: &str) -> Result<Value, String> {
    let template = json!({
        "variables": {
            "plain": "v", "made": "[concat(parameters('name'), '-', variables('plain'))]",
            "round": "[variables('round')]", "object": { "A": { "b": [1, 2] } },
            "copy": [{ "name": "list", "count": 3, "input": "[concat('x', copyIndex('list', 1))]" }],
        },
        "outputs": { "it": { "type": "string", "value": expression } },
    });
    let parameters = json!({ "name": "vm", "count": 2, "yes": true });
    let around = around();
    let plan = Plan::of(&template, parameters.as_object().unwrap(), &around);
    match plan.and_then(|plan| plan.outputs()) {
        Ok(outputs) => Ok(outputs["it"]["value"].clone()),
        Err(Fault::Wrong { why, .. }) => Err(why),
        Err(Fault::Needs(id)) => Err(format!("needs {id}")),
    }
}

#[test]
fn functions_give_what_arm_says_that_they_give() {
    for (expression, expected) in [
        ("[parameters('NAME')]", json!("vm")),
        ("[concat('a', 1, true())]", json!("a1True")),
        ("[concat(createArray(1), createArray('b'))]", json!([1, "b"])),
        ("[variables('made')]", json!("vm-v")),
        ("[variables('object').a.b[1]]", json!(2)),
        ("[variables('list')[2]]", json!("x3")),
        ("[toLower('ABC')]", json!("abc")),
        ("[toUpper(resourceGroup().location)]", json!("WESTUS")),
        ("[subscription().subscriptionId]", json!("s")),
        ("[deployment().name]", json!("d")),
        ("[if(equals('a', 'A'), 'same', concat(1))]", json!("same")),
        ("[if(not(parameters('yes')), fail(), 'lazy')]", json!("lazy")),
        ("[and(true(), or(false(), true()))]", json!(true)),
        ("[length(createArray(1, 2))]", json!(2)),
        ("[empty('')]", json!(true)),
        ("[contains('abc', 'B')]", json!(true)),
        ("[contains(createObject('k', 1), 'K')]", json!(true)),
        ("[split('a,b;c', createArray(',', ';'))]", json!(["a", "b", "c"])),
        ("[substring('abcdef', 2, 3)]", json!("cde")),
        ("[replace('a-b-c', '-', '')]", json!("abc")),
        ("[format('{0}-{1:D3}-{{}}', 'a', 7)]", json!("a-007-{}")),
        ("[padLeft('7', 3, '0')]", json!("007")),
        ("[first(skip(createArray(1, 2, 3), 1))]", json!(2)),
        ("[last('abc')]", json!("c")),
        ("[union(createArray(1, 2), createArray(2, 3))]", json!([1, 2, 3])),
        ("[intersection(createArray(1, 2), createArray(2, 3))]", json!([2])),
        ("[range(3, 2)]", json!([3, 4])),
        ("[int('12')]", json!(12)),
        ("[add(mul(parameters('count'), 10), mod(7, 4))]", json!(23)),
        ("[max(1, 5, 3)]", json!(5)),
        ("[string(12)]", json!("12")),
        ("[bool('true')]", json!(true)),
        ("[base64('abc')]", json!("YWJj")),
        ("[base64ToString('YWJj')]", json!("abc")),
        ("[coalesce(null(), 'x')]", json!("x")),
        ("[guid('a', 'b')]", json!("1a5ae8eb-8b86-5ac4-9d2c-8dbf0fd9d4b3")),
        ("[uniqueString('a')]", json!(13)),
        ("[[literal]", json!("[literal]")),
        (
            "[resourceId('A.B/c/d', 'x', 'y')]",
            json!("/subscriptions/s/resourceGroups/g/providers/A.B/c/x/d/y"),
        ),
        (
            "[resourceId('other', 'A.B/c', 'x')]",
            json!("/subscriptions/s/resourceGroups/other/providers/A.B/c/x"),
        ),
        (
            "[subscriptionResourceId('A.B/c', 'x')]",
            json!("/subscriptions/s/providers/A.B/c/x"),
        ),
    ] {
        let found = value(expression);
        match expression {
            // Of these only the shape is known beforehand.
            "[uniqueString('a')]" => {
                let text = found.unwrap();
                assert_eq!(json!(text.as_str().unwrap().len()), expected);
                assert_eq!(value(expression), Ok(text), "it is the same each time");
            }
            "[guid('a', 'b')]" => {
                assert_eq!(found.unwrap().as_str().unwrap().len(), 36);
            }
            _ => assert_eq!(found, Ok(expected), "{expression}"),
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_the_function_and_the_reason() {
    for (expression, part) in [
        ("[concat('a'", "[concat('a'"),
        ("[nope()]", "the function 'nope': this cloud does not have it"),
        ("[parameters('x')]", "the template parameter 'x' is not found"),
        ("[variables('x')]", "the template variable 'x' is not found"),
        ("[variables('round')]", "refers to itself"),
        ("[substring('abc', 2, 5)]", "the function 'substring': the part must be within"),
        ("[div(1, 0)]", "have no such result"),
        ("[add(9223372036854775807, 1)]", "have no such result"),
        ("[resourceId('A.B/c', 'x', 'y')]", "as many are expected"),
        (
            "[resourceGroup().colour]",
            "the language expression property 'colour' does not exist",
        ),
        ("[createArray(1)[5]]", "is an array without [5]"),
        ("[copyIndex()]", "there is no such copy loop"),
        ("[newGuid()]", "default values of parameters only"),
        ("[listKeys('x', '1')]", "no keys or other secrets"),
        ("[reference('nobody')]", "neither a resource of the template nor an id"),
        ("[if('yes', 1, 2)]", "true or false is expected, a text is given"),
        ("[range(0, 99999999)]", "a count from 0 to 10000"),
        ("[padLeft('', 999999999)]", ""),
    ] {
        match value(expression) {
            Ok(found) => assert!(
                found == expression
                    || found
                        .as_str()
                        .is_some_and(|text| part.is_empty() && text.len() <= 1 << 20),
                "{expression} gives {found}"
            ),
            Err(why) => assert!(why.contains(part), "{expression}: {why}"),
        }
    }
}

#[test]
fn doubling_without_end_is_stopped() {
    let mut variables = Map::new();
    variables.insert("v0".to_owned(), json!("0123456789"));
    for n in 1..31 {
        let before = n - 1;
        let twice = format!("[concat(variables('v{before}'), variables('v{before}'))]");
        variables.insert(format!("v{n}"), json!(twice));
    }
    let template = json!({
        "variables": variables,
        "outputs": { "it": { "type": "string", "value": "[variables('v30')]" } },
    });
    let (none, around) = (Map::new(), around());
    let plan = Plan::of(&template, &none, &around).ok().unwrap();
    assert!(matches!(plan.outputs(), Err(Fault::Wrong { .. })));
}

fn planned(resources: &Value) -> Result<Vec<String>, String> {
    let template = json!({ "resources": resources });
    let (none, around) = (Map::new(), around());
    match Plan::of(&template, &none, &around) {
        Ok(plan) => {
            Ok(plan.resources.iter().map(|one| one.id.name().to_owned()).collect())
        }
        Err(Fault::Wrong { place, why }) => Err(format!("{place}: {why}")),
        Err(Fault::Needs(id)) => Err(id.to_string()),
    }
}

#[test]
fn resources_come_after_what_they_depend_on_or_refer_to() {
    let order = planned(&json!([
        { "type": "A.B/vms", "name": "v", "dependsOn": ["A.B/nics/n"],
          "resources": [{ "type": "extensions", "name": "e", "dependsOn": ["[resourceId('A.B/vms', 'v')]"] }] },
        { "type": "A.B/nics", "name": "n", "dependsOn": ["a.b/NETS/x", "loop"] },
        { "type": "A.B/nets", "name": "x", "properties": { "p": "[reference('late').q]" } },
        { "type": "A.B/lates", "name": "late" },
        { "type": "A.B/many", "name": "[concat('m', copyIndex(5))]", "copy": { "name": "loop", "count": 2 } },
    ]));
    assert_eq!(order.unwrap(), ["late", "x", "m5", "m6", "n", "v", "e"]);
}

#[test]
fn a_resource_without_its_condition_is_left_out_and_may_be_depended_on() {
    let order = planned(&json!([
        { "type": "A.B/c", "name": "a", "condition": "[equals(1, 2)]" },
        { "type": "A.B/c", "name": "b", "dependsOn": ["a"] },
    ]));
    assert_eq!(order.unwrap(), ["b"]);
}

#[test]
fn symbols_name_resources_too() {
    let order = planned(&json!({
        "second": { "type": "A.B/c", "name": "b", "dependsOn": ["first"] },
        "first": { "type": "A.B/c", "name": "a" },
        "there": { "type": "A.B/c", "name": "t", "existing": true },
    }));
    assert_eq!(order.unwrap(), ["a", "b"]);
}

#[test]
fn a_template_that_cannot_be_is_refused_at_its_place() {
    for (resources, part) in [
        (
            json!([{ "type": "A.B/c", "name": "a", "dependsOn": ["b"] },
                { "type": "A.B/c", "name": "b", "dependsOn": ["a"] }]),
            "circular dependency detected",
        ),
        (
            json!([{ "type": "A.B/c", "name": "a", "dependsOn": ["x"] }]),
            "resources[0].dependsOn: the resource 'x' is not defined",
        ),
        (
            json!([{ "type": "A.B/c", "name": "a" }, { "type": "A.B/c", "name": "A" }]),
            "defined multiple times",
        ),
        (json!([{ "type": "A.B/c" }]), "resources[0].name: the required property 'name'"),
        (json!([{ "type": "A.B/c/d", "name": "a" }]), "as many are expected"),
        (json!(["a"]), "resources[0]: an object is expected"),
        (json!("a"), "resources: an array is expected"),
        (
            json!([{ "type": "A.B/c", "name": "a", "copy": { "name": "l", "count": 5000 } }]),
            "the copy count must be a number from 0 to 800",
        ),
        (
            json!([{ "type": "A.B/c", "name": "[reference('b').x]" }]),
            "reference() is allowed in the properties",
        ),
    ] {
        let why = planned(&resources).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn parameters_are_checked_against_what_the_template_declares() {
    let declared = json!({ "parameters": {
        "size": { "type": "string", "allowedValues": ["a", "b"], "defaultValue": "a" },
        "count": { "type": "int", "minValue": 1, "maxValue": 3, "defaultValue": 1 },
        "name": { "type": "string", "minLength": 2, "maxLength": 4, "defaultValue": "[concat('x', parameters('size'))]" },
        "secret": { "type": "securestring", "defaultValue": "s" },
    } });
    let around = around();
    let given = |given: Value| match parameter::values(&declared, &given, &around) {
        Ok(values) => Ok(Value::Object(values)),
        Err(Fault::Wrong { place, why }) => Err(format!("{place}: {why}")),
        Err(Fault::Needs(id)) => Err(id.to_string()),
    };
    assert_eq!(
        given(Value::Null),
        Ok(json!({ "size": "a", "count": 1, "name": "xa", "secret": "s" }))
    );
    for (bad, part) in [
        (
            json!({ "other": { "value": 1 } }),
            "the template parameters 'other' are not valid",
        ),
        (json!({ "size": { "value": "c" } }), "parameters.size: the provided value"),
        (
            json!({ "size": { "value": 1 } }),
            "expected type 'string', and a number is given",
        ),
        (json!({ "size": "a" }), "an object with a 'value' is expected"),
        (json!({ "count": { "value": 4 } }), "its maxValue is 3"),
        (json!({ "name": { "value": "x" } }), "its minLength is 2"),
        (json!({ "secret": { "reference": {} } }), "key vault"),
        (json!([]), "an object is expected"),
    ] {
        let why = given(bad).unwrap_err();
        assert!(why.contains(part), "{why}");
        assert!(!why.contains("'s'"), "{why}");
    }
}
