// The yardstick: the least that a Worker can do.
export default {
  async fetch() {
    return new Response("hello");
  },
};
