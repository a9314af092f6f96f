//! The JSON Schemas beside our scenarios say what the types say. After a change of the types, `WX_SIM_SCHEMAS=write
//! cargo test -p wx-sim --lib schema` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Scenario;
use crate::seed::Seed;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn generated<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(title));
    let mut schema = schema.to_value();
    plain_text(&mut schema);
    schema
}

/// Comments in code have links and marks that mean nothing to an editor.
fn plain_text(schema: &mut Value) {
    match schema {
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| match member {
            Value::String(text) if name == "description" => *text = text.replace('\n', " "),
            member => plain_text(member),
        }),
        Value::Array(items) => items.iter_mut().for_each(plain_text),
        _ => {}
    }
}

#[track_caller]
fn check<T: JsonSchema>(file: &str, title: &str) {
    let path = scenarios().join(file);
    let wanted = format!("{:#}\n", generated::<T>(title));
    if std::env::var_os("WX_SIM_SCHEMAS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == wanted, "{} is not what the types say: see schema.rs", path.display());
}

#[test]
fn the_schema_of_scenarios_is_true() {
    check::<Scenario>("schema.json", "A scenario of wx-sim");
}

#[test]
fn the_schema_of_seeds_is_true() {
    check::<Seed>("seed.schema.json", "A seed of wx-sim");
}

#[test]
fn the_examples_of_the_manual_can_be_read() {
    let manual = fs::read_to_string(scenarios().join("../docs/wx-sim.md")).unwrap();
    let examples = manual.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (scenarios, others): (Vec<_>, Vec<_>) = examples.partition(|text| text.contains("\"steps\": ["));
    let seeds: Vec<_> = others.into_iter().filter(|text| text.contains("seed.schema.json")).collect();
    assert!(!scenarios.is_empty() && !seeds.is_empty());
    scenarios.iter().for_each(|text| drop(Scenario::parse(text).unwrap()));
    seeds.iter().for_each(|text| drop(super::read::<Seed>(text).unwrap()));
}

/// Every JSON file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

#[test]
fn our_own_scenarios_can_be_read_and_name_the_schema() {
    let all = files(&scenarios());
    let own = all.iter().filter(|path| !path.to_string_lossy().ends_with("schema.json"));
    let mut count = 0;
    for path in own {
        let text = fs::read_to_string(path).unwrap();
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let schema = path.parent().unwrap().join(scenario.schema.unwrap());
        assert_eq!(
            fs::canonicalize(schema).unwrap(),
            fs::canonicalize(scenarios().join("schema.json")).unwrap()
        );
        count += 1;
    }
    assert!(count > 0);
}
