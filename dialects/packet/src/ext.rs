//! What only this dialect can mean, kept with the core's rows under this dialect's name.

use meetme_model::Ext;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Under this name it is kept.
const NAME: &str = "packet";

/// Reads what is kept with a row. What cannot be read is as good as not there.
pub fn get<T: DeserializeOwned + Default>(ext: &Ext) -> T {
    ext.get(NAME).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

/// Keeps something with a row; an empty thing takes no room.
pub fn set<T: Serialize>(ext: &mut Ext, value: &T) {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) if map.is_empty() => drop(ext.remove(NAME)),
        Ok(value) => drop(ext.insert(NAME.to_owned(), value)),
        Err(_) => {}
    }
}

/// Free data of the customer's; an empty object when there is none, because clients want an object.
pub fn custom(data: Option<&Value>) -> Value {
    data.cloned().unwrap_or_else(|| Value::Object(Map::new()))
}
