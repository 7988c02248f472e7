# Floating-point operations, from the layers that kfkd-train logs: of one face
# forward (-v of=face) or of an epoch (-v of=epoch).
#
# A row that is trained on takes as many again for the gradients of the weights, and as
# many for those of the layer's input; but nobody asks for those of the first layer that
# learns.

/ rows: / { train = $3; valid = $7 }

/^layer .* multiply-adds/ { listing = 1; next }
/^all / { listing = 0 }

listing && $(NF - 1) > 0 {
	forward = 2 * $(NF - 1)
	face += forward
	epoch += forward * (valid + train * (learns++ ? 3 : 2))
}

END { printf "%.0f\n", of == "face" ? face : epoch }
