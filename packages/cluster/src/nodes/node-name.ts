export const NODE_NAME = /^[a-z0-9-]{1,32}$/;
