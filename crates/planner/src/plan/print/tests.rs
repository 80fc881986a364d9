use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn indented(value: &impl Serialize) -> Result<String, PrintError> {
    let mut text = Vec::new();
    write_indented(value, &mut text)?;
    Ok(String::from_utf8(text).unwrap())
}

fn check(value: &impl Serialize) {
    assert_eq!(indented(value).unwrap(), serde_json::to_string_pretty(value).unwrap());
}

#[derive(Serialize)]
enum Word {
    One,
    #[serde(rename = "é\n")]
    Of(u8),
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Plain<'a> {
    texts: [&'a str; 3],
    c: char,
    numbers: (i8, i16, i32, i64, u8, u16, u32, u64),
    words: Vec<Word>,
    nothing: (Option<u8>, Option<bool>, (), Unit),
    empty: (BTreeMap<String, u8>, Vec<u8>),
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
}

#[test]
fn all_plain_data_is_printed_as_serde_json_prints_it() {
    let all: String = (0..=0x2030).filter_map(char::from_u32).collect();
    check(&Plain {
        texts: ["", &all, "\u{1f600}\\\""],
        c: '"',
        numbers: (i8::MIN, i16::MIN, i32::MIN, i64::MIN, u8::MAX, u16::MAX, u32::MAX, u64::MAX),
        words: vec![Word::One, Word::Of(1)],
        nothing: (None, Some(true), (), Unit),
        empty: (BTreeMap::new(), Vec::new()),
        absent: None,
    });
    let deep = (0..100).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    check(&deep);
    // More than is handed over at once.
    check(&vec![all; 100]);
}

#[test]
fn what_is_not_plain_is_refused() {
    assert!(indented(&1.5).is_err() && indented(&1.5_f32).is_err());
    assert!(indented(&BTreeMap::from([(1, 2)])).is_err());
    assert!(indented(&Value::from(1.5)).is_err());
}

#[test]
fn a_text_that_cannot_be_written_is_an_error() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = io::Error::from(write_indented(&"text", &mut Full).unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

fn any_plain() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn both_printers_agree(value in any_plain()) {
        check(&value);
    }
}
