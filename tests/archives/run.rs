//! Scans a folder by the program, and what is asked of its report.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::child;

pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

/// Scans with the options; `input` is standard input.
pub(crate) fn scan_with(args: &[&str], input: Option<&[u8]>) -> Report {
    let fixed = [
        "--as-of",
        "2026-11-24T00:00:00Z",
        "--fail-on",
        "never",
        "-f",
        "json",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokentrail"));
    command.arg("scan").args(args).args(fixed).env_clear();
    let output = child::run(&mut command, input.unwrap_or_default());
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Report {
        code: output.status.code().unwrap(),
        json,
    }
}

/// Scans one file of this name and content.
pub(crate) fn scan_bytes(name: &str, bytes: &[u8]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let before = state(&path);
    let root = folder.path().to_str().unwrap();
    let report = scan_with(&[path.to_str().unwrap(), "--source-root", root], None);
    assert!(before == state(&path), "the evidence was touched");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "something was written beside the evidence");
    report
}

fn state(path: &Path) -> (Vec<u8>, std::time::SystemTime) {
    let modified = path.metadata().unwrap().modified().unwrap();
    (std::fs::read(path).unwrap(), modified)
}

impl Report {
    /// Fingerprint and name of each finding, with where it lies.
    pub(crate) fn places(&self) -> Vec<String> {
        let mut places = Vec::new();
        for finding in self.list("findings") {
            for sighting in finding["sightings"].as_array().unwrap() {
                let members = sighting["source"]["members"].as_array().unwrap();
                let members = members.iter().map(|member| member.as_str().unwrap());
                let path = sighting["source"]["path"].as_str().unwrap();
                let parts: Vec<&str> = std::iter::once(path).chain(members).collect();
                places.push(parts.join(" > "));
            }
        }
        places.sort();
        places.dedup();
        places
    }

    /// The findings without what depends on where the evidence lies.
    pub(crate) fn findings(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .list("findings")
            .iter()
            .map(|finding| {
                let mut finding = finding.clone();
                let object = finding.as_object_mut().unwrap();
                object.remove("trails");
                // What has no fingerprint is named after its place.
                if object["fingerprint"].is_null() {
                    object.remove("id");
                }
                for sighting in object["sightings"].as_array_mut().unwrap() {
                    let sighting = sighting.as_object_mut().unwrap();
                    sighting.remove("id");
                    let source = sighting["source"].as_object_mut().unwrap();
                    source.remove("path");
                    source.remove("members");
                }
                let sightings = object["sightings"].as_array_mut().unwrap();
                sightings.sort_by_key(ToString::to_string);
                finding.to_string()
            })
            .collect();
        all.sort();
        all
    }

    pub(crate) fn count(&self) -> usize {
        self.list("findings").len()
    }

    /// Status of each source, by path and members.
    pub(crate) fn statuses(&self) -> BTreeMap<String, String> {
        let sources = self.list("sources").iter();
        sources
            .map(|source| (name(source), source["status"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// All problems, each behind the name of its source.
    pub(crate) fn problems(&self) -> Vec<String> {
        let problems = self.list("problems").iter();
        problems
            .map(|problem| format!("{}: {}", name(problem), problem["reason"].as_str().unwrap()))
            .collect()
    }

    pub(crate) fn list(&self, name: &str) -> &Vec<Value> {
        self.json[name].as_array().unwrap()
    }
}

fn name(source: &Value) -> String {
    let members = source["members"].as_array().unwrap().iter();
    let members = members.map(|member| member.as_str().unwrap());
    let path = source["path"].as_str().unwrap();
    let parts: Vec<&str> = std::iter::once(path).chain(members).collect();
    parts.join(" > ")
}
