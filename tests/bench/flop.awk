# Floating-point operations, from the layers that kfkd-train logs: of one face
# forward (-v of=face) or of an epoch (-v of=epoch).
#
# A layer with weights takes 2 for each weight at each place of its output.  A row
# that is trained on takes as many again for the gradients of the weights, and as
# many for those of the layer's input; but nobody asks for those of the first one.

/ rows: / { train = $3; valid = $7 }

/Layer.* parameters$/ {
	match($0, /\(None, [0-9, ]+\)/)
	rank = split(substr($0, RSTART + 7, RLENGTH - 8), shape, ", ")
	places = rank == 3 ? shape[2] * shape[3] : 1
	forward = 2 * ($(NF - 1) - shape[1]) * places
	face += forward
	epoch += forward * (valid + train * (learns++ ? 3 : 2))
}

END { printf "%.0f\n", of == "face" ? face : epoch }
