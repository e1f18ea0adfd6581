import { Type } from 'typebox';

/** What a client has to know to ask for a token for an API. @see RFC 9728 §2 */
export const resourceMetadataSchema = Type.Object({
  resource: Type.String({
    description: 'The `resource` to ask for a token with.',
    examples: ['https://id.example.com'],
  }),
  authorization_servers: Type.Array(Type.String({ examples: ['https://id.example.com'] })),
  jwks_uri: Type.String({ examples: ['https://id.example.com/.well-known/jwks.json'] }),
  scopes_supported: Type.Array(Type.String({ examples: ['credits:spend'] })),
  bearer_methods_supported: Type.Array(Type.String({ examples: ['header'] })),
  resource_name: Type.String({ examples: ['Obol'] }),
  resource_documentation: Type.String({ examples: ['https://id.example.com/docs'] }),
});
