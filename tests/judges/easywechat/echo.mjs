// A callback server as somebody writes it who follows the manual of node-easywechat: it repeats texts.
// Settings come from the environment; it prints the address that it listens on.
import http from "node:http";
import easywechat from "node-easywechat";

const { OfficialAccount, ServerRequest } = easywechat;
const { WECHAT_TOKEN: token, APP_ID: app_id, ENCODING_AES_KEY: aes_key } = process.env;

async function answer(request) {
  // Its server keeps the handlers of one request for the next, so each gets an application of its own.
  const app = new OfficialAccount({ app_id, token, ...(aes_key && { aes_key }) });
  app.setRequest(await ServerRequest.createFromIncomingMessage(request));
  app.getServer().addMessageListener("text", async (message) => message.Content);
  return app.getServer().serve();
}

const server = http.createServer(async (request, response) => {
  try {
    const reply = await answer(request);
    response.writeHead(reply.getStatusCode(), reply.getHeaders()).end(String(reply.getBody()));
  } catch (error) {
    response.writeHead(400).end(error.message);
  }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
