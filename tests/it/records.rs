//! The account's documents: pages, versions, filters.

use serde_json::json;
use wxapi::gateway::record::{Call, Filter, Kind, Reply};
use wxapi::handlers::records;

use crate::world::{World, admin, run};

fn filter(field: &str, value: serde_json::Value) -> Filter {
    Filter { field: field.to_owned(), value }
}

async fn list(
    world: &World,
    after: Option<u64>,
    limit: u32,
    newest_first: bool,
    filters: Vec<Filter>,
) -> (Vec<String>, bool) {
    let call = Call::List { kind: Kind::Person, after, limit, newest_first, filters };
    match records::ask(world, world.app(), call).await.unwrap() {
        Reply::Records { records, more } => (records.into_iter().map(|record| record.id).collect(), more),
        other => panic!("{other:?}"),
    }
}

async fn three_people(world: &World) {
    let documents = vec![
        ("o-1".to_owned(), json!({ "language": "zh_CN", "tags": [2, 100] })),
        ("o-2".to_owned(), json!({ "language": "en", "tags": [] })),
        ("o-3".to_owned(), json!({ "tags": [100] })),
    ];
    let stored = records::ask(world, world.app(), Call::PutAll { kind: Kind::Person, documents }).await;
    assert_eq!(stored, Ok(Reply::Count(3)));
}

#[test]
fn a_change_of_what_somebody_else_changed_is_refused() {
    run(async {
        let world = World::new(&admin::settings());
        let put = |version, text: &'static str| {
            let world = world.clone();
            async move {
                records::put(&world, world.app(), Kind::Mass, "m-1", version, json!({ "text": text }))
                    .await
                    .unwrap()
            }
        };
        assert_eq!(put(Some(1), "there is none").await, None);
        assert_eq!(put(Some(0), "first").await, Some(1));
        assert_eq!(put(Some(0), "there is one").await, None);
        assert_eq!(put(Some(1), "second").await, Some(2));
        assert_eq!(put(Some(1), "too late").await, None);
        world.crash();
        let stored = records::get(&world, world.app(), Kind::Mass, "m-1").await.unwrap().unwrap();
        assert_eq!((stored.version, stored.document), (2, json!({ "text": "second" })));
        assert_eq!(records::get(&world, world.app(), Kind::Menu, "m-1").await, Ok(None), "another kind");
        assert_eq!(records::delete(&world, world.app(), Kind::Mass, "m-1").await, Ok(true));
        assert_eq!(records::delete(&world, world.app(), Kind::Mass, "m-1").await, Ok(false));
    });
}

#[test]
fn pages_follow_each_other_in_both_directions() {
    run(async {
        let world = World::new(&admin::settings());
        three_people(&world).await;
        assert_eq!(
            list(&world, None, 2, false, vec![]).await,
            (vec!["o-1".to_owned(), "o-2".to_owned()], true)
        );
        assert_eq!(list(&world, Some(2), 2, false, vec![]).await, (vec!["o-3".to_owned()], false));
        assert_eq!(
            list(&world, None, 2, true, vec![]).await,
            (vec!["o-3".to_owned(), "o-2".to_owned()], true)
        );
        assert_eq!(list(&world, Some(2), 2, true, vec![]).await, (vec!["o-1".to_owned()], false));
    });
}

#[test]
fn filters_find_texts_elements_of_lists_and_what_is_missing() {
    run(async {
        let world = World::new(&admin::settings());
        three_people(&world).await;
        for (filters, found) in [
            (vec![filter("language", json!("en"))], vec!["o-2"]),
            (vec![filter("tags", json!(100))], vec!["o-1", "o-3"]),
            (vec![filter("language", json!(null))], vec!["o-3"]),
            (vec![filter("tags", json!(100)), filter("language", json!("zh_CN"))], vec!["o-1"]),
            (vec![filter("language", json!("zh_CN' OR 1=1 --"))], vec![]),
        ] {
            assert_eq!(list(&world, None, 10, false, filters.clone()).await.0, found, "{filters:?}");
            let call = Call::Count { kind: Kind::Person, filters };
            assert_eq!(records::ask(&world, world.app(), call).await, Ok(Reply::Count(found.len() as u64)));
        }
    });
}
