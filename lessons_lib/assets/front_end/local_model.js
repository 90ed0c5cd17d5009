
// A model that lives in the page alone, for a page without Python.
function localModel(state) {
  const listeners = new Set();
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const listener of listeners) listener();
    },
    save_changes() {},
    on: (_, listener) => listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
  };
}
