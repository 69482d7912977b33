// A network whose parameters are a struct: described once, a field a line, it goes into a compiled train step and comes out of it; so do
// its gradients, and the momentum of each parameter.
#include <sinter/sinter.h>
#include <stdio.h>

typedef struct layer {
  sn_tensor *w, *b;
} layer;
typedef struct network {
  layer hidden[2], last;
  double rate;  // static: another one is another trace
} network;
typedef struct batch {
  sn_tensor *x, *y;
} batch;
typedef struct state {
  network parameters, momentum;
  batch data;
} state;
typedef struct result {
  network parameters, momentum;
  sn_tensor *loss;
} result;

SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b));
SN_COMPOSITE(network_type, network, SN_NESTED(network, hidden, layer_type),
             SN_NESTED(network, last, layer_type), SN_FIELD(network, rate));
SN_COMPOSITE(batch_type, batch, SN_FIELD(batch, x), SN_FIELD(batch, y));
SN_COMPOSITE(state_type, state, SN_NESTED(state, parameters, network_type),
             SN_NESTED(state, momentum, network_type), SN_NESTED(state, data, batch_type));
SN_COMPOSITE(result_type, result, SN_NESTED(result, parameters, network_type),
             SN_NESTED(result, momentum, network_type), SN_FIELD(result, loss));

static sn_tensor *dense(const layer *l, sn_tensor *x) {
  return sn_add(sn_matmul(x, l->w), l->b);
}

static sn_tensor *predict(const network *n, sn_tensor *x) {
  for (int i = 0; i < 2; i++) x = sn_tanh(dense(&n->hidden[i], x));
  return dense(&n->last, x);
}

static sn_status train_step(sn_context *c, const void *in, void *out, void *user) {
  const state *s = in;
  result *r = out;
  network slopes;
  sn_tensor *p[8], *m[8], *g[8];
  (void)user;
  r->loss = sn_mean(sn_square(sn_sub(predict(&s->parameters, s->data.x), s->data.y)));
  sn_gradients_struct(r->loss, SN_STRUCT(network_type, &s->parameters), &slopes);
  const int n = sn_flatten(c, SN_STRUCT(network_type, &s->parameters), p, 8);
  sn_flatten(c, SN_STRUCT(network_type, &s->momentum), m, 8);
  sn_flatten(c, SN_STRUCT(network_type, &slopes), g, 8);
  for (int i = 0; i < n; i++) {
    m[i] = sn_add(sn_mul(m[i], 0.9), g[i]);
    p[i] = sn_sub(p[i], sn_mul(m[i], s->parameters.rate));
  }
  sn_unflatten(c, SN_STRUCT(network_type, &s->parameters), p, n, &r->parameters);
  return sn_unflatten(c, SN_STRUCT(network_type, &s->momentum), m, n, &r->momentum);
}

static layer make_layer(sn_context *c, int64_t from, int64_t to, double spread) {
  return (layer){sn_mul(sn_random_normal(c, SN_F32, SN_SHAPE(from, to)), spread),
                 sn_zeros(c, SN_F32, SN_SHAPE(to))};
}

static network make_network(sn_context *c, double spread) {
  return (network){.hidden = {make_layer(c, 1, 16, spread), make_layer(c, 16, 16, spread / 4)},
                   .last = make_layer(c, 16, 1, spread / 4),
                   .rate = 0.02};
}

int main(void) {
  sn_context *c;
  float x[64], y[64];
  double loss = 0;
  sn_program *program;
  if (sn_context_create(&c, .seed = 1)) return 1;
  for (int i = 0; i < 64; i++) {
    x[i] = (float)i / 16 - 2;
    y[i] = x[i] * x[i] - 1;
  }
  state s = {.parameters = make_network(c, 1),
             .momentum = make_network(c, 0),
             .data = {sn_constant(c, SN_F32, SN_SHAPE(64, 1), x),
                      sn_constant(c, SN_F32, SN_SHAPE(64, 1), y)}};
  sn_function *step = sn_struct_function(c, train_step, &state_type, &result_type, .name = "step");
  for (int i = 0; i <= 400; i++) {
    result r;
    if (sn_call_struct(step, SN_STRUCT(state_type, &s), SN_STRUCT(result_type, &r)) ||
        sn_item(r.loss, &loss))
      break;
    s.parameters = r.parameters;
    s.momentum = r.momentum;
    if (i % 100 == 0) printf("step %3d: loss %.4f\n", i, loss);
  }
  if (!sn_function_compile_struct(step, SN_STRUCT(state_type, &s), &program)) {
    const sn_graph *graph = sn_program_graph(program);
    printf("%d operations; parameters.last.w is number %d\n", sn_graph_size(graph),
           sn_graph_find(graph, "parameters.last.w"));
    sn_program_release(program);
  }
  if (*sn_error_message(c)) fprintf(stderr, "%s\n", sn_error_message(c));
  sn_function_destroy(step);
  sn_context_destroy(c);
  return loss > 0.1;
}
